from hypothesis import given
from hypothesis import strategies as st

from softix_proxy.domain.usage import INPUT_METERS, METERS, OUTPUT_METERS, UsageSource, UsageTotal, add_up, total

quantities = st.dictionaries(st.sampled_from(sorted(METERS)), st.integers(0, 10**9))


def test_names_and_price_keys_are_unique() -> None:
    assert all(name == spec.name for name, spec in METERS.items())
    assert len({spec.price_key for spec in METERS.values()}) == len(METERS)


def test_each_meter_is_on_one_side() -> None:
    calls = {spec.name for spec in METERS.values() if spec.side == "call"}
    sides = [set(INPUT_METERS), set(OUTPUT_METERS), calls]
    assert set.union(*sides) == set(METERS)
    assert sum(map(len, sides)) == len(METERS)


def test_fallbacks_stay_on_their_side_share_the_unit_and_end() -> None:
    for spec in METERS.values():
        seen = {spec.name}
        while spec.fallback is not None:
            fallback = METERS[spec.fallback]
            assert (fallback.side, fallback.per, fallback.units) == (spec.side, spec.per, spec.units)
            assert fallback.name not in seen
            seen.add(fallback.name)
            spec = fallback


def test_every_token_meter_ends_at_input_or_output() -> None:
    def last(name: str) -> str:
        fallback = METERS[name].fallback
        return name if fallback is None else last(fallback)

    assert {last(name) for name in INPUT_METERS} == {"input_tokens"}
    assert {last(name) for name in OUTPUT_METERS} == {"output_tokens"}


def test_total_takes_absent_as_nothing_and_ignores_other_meters() -> None:
    meters = {"input_tokens": 900, "cached_input_tokens": 100, "output_tokens": 7, "web_search_calls": 2}
    assert total(meters, INPUT_METERS) == 1000
    assert total(meters, OUTPUT_METERS) == 7
    assert total({}, INPUT_METERS) == 0


@given(quantities)
def test_sides_are_disjoint_so_that_their_totals_add_up(meters: dict[str, int]) -> None:
    calls = tuple(name for name, spec in METERS.items() if spec.side == "call")
    parts = [total(meters, names) for names in (INPUT_METERS, OUTPUT_METERS, calls)]
    assert sum(parts) == sum(meters.values())


def test_sources_are_the_stored_words() -> None:
    expected = ["provider", "partial", "estimate", "interrupted", "none", "correction"]
    assert [str(source) for source in UsageSource] == expected


def test_add_up() -> None:
    totals = [UsageTotal("a", "a", 3, 1, 1500, 25, 2, 4), UsageTotal("b", "b", 4, 1, 1500, 25, 3, 6)]
    assert add_up(totals) == UsageTotal("total", "total", 7, 2, 3000, 50, 5, 10)
    assert add_up([], "none") == UsageTotal("none", "none", 0, 0, 0, 0, 0, 0)

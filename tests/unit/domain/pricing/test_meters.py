from hypothesis import given
from hypothesis import strategies as st

from softix_proxy.domain.core.money import CURRENCY
from softix_proxy.domain.pricing.meters import INPUT_METERS, METERS, MILLION, OUTPUT_METERS, total

quantities = st.dictionaries(st.sampled_from(sorted(METERS)), st.integers(0, 10**9))


def test_meter_names_and_price_keys_are_unique() -> None:
    assert all(name == spec.name for name, spec in METERS.items())
    assert len({spec.price_key for spec in METERS.values()}) == len(METERS)


def test_meter_of_each_kind_is_on_exactly_one_side() -> None:
    calls = {spec.name for spec in METERS.values() if spec.side == "call"}
    sides = [set(INPUT_METERS), set(OUTPUT_METERS), calls]
    assert set.union(*sides) == set(METERS)
    assert sum(map(len, sides)) == len(METERS)


def test_meter_fallbacks_keep_side_and_unit_and_end() -> None:
    for spec in METERS.values():
        seen = {spec.name}
        while spec.fallback is not None:
            fallback = METERS[spec.fallback]
            assert (fallback.side, fallback.per, fallback.units) == (spec.side, spec.per, spec.units)
            assert fallback.name not in seen
            seen.add(fallback.name)
            spec = fallback


def test_token_meter_fallbacks_end_at_input_or_output() -> None:
    def last(name: str) -> str:
        fallback = METERS[name].fallback
        return name if fallback is None else last(fallback)

    assert {last(name) for name in INPUT_METERS} == {"input_tokens"}
    assert {last(name) for name in OUTPUT_METERS} == {"output_tokens"}


def test_total_of_meters_counts_absent_as_zero_and_ignores_other_meters() -> None:
    meters = {"input_tokens": 900, "cached_input_tokens": 100, "output_tokens": 7, "web_search_calls": 2}
    assert total(meters, INPUT_METERS) == 1000
    assert total(meters, OUTPUT_METERS) == 7
    assert total({}, INPUT_METERS) == 0


@given(quantities)
def test_totals_of_all_sides_add_up_to_the_total_of_all_meters(meters: dict[str, int]) -> None:
    calls = tuple(name for name, spec in METERS.items() if spec.side == "call")
    parts = [total(meters, names) for names in (INPUT_METERS, OUTPUT_METERS, calls)]
    assert sum(parts) == sum(meters.values())


TOKENS = (1_000_000, "million tokens")
CALLS = (1000, "1000 calls")
EXPECTED_METERS = {
    "input_tokens": ("input", *TOKENS, "input", None),
    "cached_input_tokens": ("cached_input", *TOKENS, "input", "input_tokens"),
    "cache_write_5m_tokens": ("cache_write_5m", *TOKENS, "input", "input_tokens"),
    "cache_write_1h_tokens": ("cache_write_1h", *TOKENS, "input", "cache_write_5m_tokens"),
    "audio_input_tokens": ("audio_input", *TOKENS, "input", "input_tokens"),
    "cached_audio_input_tokens": ("cached_audio_input", *TOKENS, "input", "cached_input_tokens"),
    "image_input_tokens": ("image_input", *TOKENS, "input", "input_tokens"),
    "cached_image_input_tokens": ("cached_image_input", *TOKENS, "input", "cached_input_tokens"),
    "output_tokens": ("output", *TOKENS, "output", None),
    "reasoning_tokens": ("reasoning", *TOKENS, "output", "output_tokens"),
    "audio_output_tokens": ("audio_output", *TOKENS, "output", "output_tokens"),
    "image_output_tokens": ("image_output", *TOKENS, "output", "output_tokens"),
    "web_search_calls": ("web_search", *CALLS, "call", None),
    "tool_calls": ("tool_call", *CALLS, "call", None),
    "search_units": ("search_unit", 1000, "1000 search units of a reranker", "call", None),
    "audio_ms": ("audio_second", 1000, "second", "call", None),
    "characters": ("character", 1_000_000, "million characters to speak", "call", None),
    "images": ("image", 1, "image", "call", None),
    "requests": ("request", 1, "request", "call", None),
}
"""Meter → price key, units of one price, their name, side, and what it falls back to.

They are written down in databases and price files: a meter is a column of `usage`, a price key a member of a price."""


def test_meters_have_the_names_and_units_of_the_stored_columns_and_prices() -> None:
    told = {m.name: (m.price_key, m.per, m.units, m.side, m.fallback) for m in METERS.values()}
    assert told == EXPECTED_METERS and list(told) == list(EXPECTED_METERS)
    assert (MILLION, CURRENCY) == (10**6, "USD")

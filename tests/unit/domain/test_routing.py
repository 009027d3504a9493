from collections import Counter
from dataclasses import replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from support.playbook import KEY, LAB, MODEL, USER

from softix_proxy.domain.directory import Changes, Directory
from softix_proxy.domain.models import ModelStatus
from softix_proxy.domain.providers import Provider
from softix_proxy.domain.routes import Route, RouteLeg
from softix_proxy.domain.routing import Drop, arrange, in_regions, judge, pause_us

legs_of = st.lists(
    st.builds(RouteLeg, st.integers(1, 50), weight=st.integers(1, 9), tier=st.integers(0, 3)), min_size=1, max_size=8
)
REGIONS = ("eu", "us", "ch")
bonds = st.lists(st.sampled_from(REGIONS), max_size=2, unique=True).map(tuple)


@given(legs_of, st.integers(0, 2**32), st.data())
def test_every_target_once_tier_by_tier_and_those_that_are_out_last(
    legs: list[RouteLeg], seed: int, data: st.DataObject
) -> None:
    out = data.draw(st.sets(st.integers(0, len(legs) - 1)))
    preferred = data.draw(st.none() | st.integers(0, len(legs) - 1))
    order = arrange(legs, Random(seed).randrange, out, preferred)
    assert sorted(order) == list(range(len(legs)))
    well, unwell = order[: len(order) - len(out)], order[len(order) - len(out) :]
    assert set(unwell) == out
    for group in (well, unwell):
        tiers = [legs[index].tier for index in group]
        assert tiers == sorted(tiers)
    if preferred is not None and preferred not in out:
        same_tier = [index for index in well if legs[index].tier == legs[preferred].tier]
        assert same_tier[0] == preferred


def test_weights_are_shares_of_first_tries() -> None:
    legs, random = [RouteLeg(1, weight=3), RouteLeg(2, weight=1), RouteLeg(3, weight=9, tier=1)], Random(7)
    first = Counter(arrange(legs, random.randrange)[0] for _ in range(4000))
    assert set(first) == {0, 1} and 2700 < first[0] < 3300


def test_pauses_double_and_end() -> None:
    assert [pause_us(n, lambda most: most - 1) for n in (0, 1, 2, 20)] == [250_000, 500_000, 1_000_000, 8_000_000]
    assert pause_us(0, lambda most: 0) == 125_000


@given(st.none() | st.sampled_from(REGIONS), bonds, bonds)
def test_who_is_bound_is_sent_nowhere_else(
    region: str | None, user_bond: tuple[str, ...], key_bond: tuple[str, ...]
) -> None:
    there = in_regions(replace(LAB, region=region), replace(USER, regions=user_bond), replace(KEY, regions=key_bond))
    assert there == all(not bond or region in bond for bond in (user_bond, key_bond))


def test_what_speaks_against_a_target_the_weightiest_first() -> None:
    def found(key: object = KEY, provider: Provider = LAB, status: ModelStatus = ModelStatus.ACTIVE) -> Drop | None:
        directory = Directory()
        directory.apply(Changes(1, providers=(provider,), models=(replace(MODEL, status=status),)))
        route = Route(3, "rte_a", "best", (RouteLeg(1),))
        return judge(directory, USER, key, route, route.legs[0], speaks=provider is LAB)  # type: ignore[arg-type]

    bound = replace(KEY, regions=("eu",))
    assert found() is None
    assert found(provider=replace(LAB)) is Drop.DIALECT
    assert found(bound) is Drop.REGION
    assert found(replace(bound, models=("gpt-*",))) is Drop.NOT_ALLOWED
    assert found(replace(bound, models=("gpt-*",)), status=ModelStatus.DISABLED) is Drop.DISABLED
    assert found(replace(KEY, models=("best",))) is None
    assert found(replace(KEY, models=("lab/*",))) is None

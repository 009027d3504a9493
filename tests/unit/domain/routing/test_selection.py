from collections import Counter
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from softix_proxy.domain.access.authorization import AccessDenial
from softix_proxy.domain.routing.routes import RouteLeg
from softix_proxy.domain.routing.selection import Drop, arrange, pause_us

legs_of = st.lists(
    st.builds(RouteLeg, st.integers(1, 50), weight=st.integers(1, 9), tier=st.integers(0, 3)), min_size=1, max_size=8
)


@given(legs_of, st.integers(0, 2**32), st.data())
def test_order_of_targets_has_each_once_by_tier_with_unavailable_ones_last(
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


def test_order_of_targets_with_weights_gives_each_its_share_of_first_attempts() -> None:
    legs, random = [RouteLeg(1, weight=3), RouteLeg(2, weight=1), RouteLeg(3, weight=9, tier=1)], Random(7)
    first = Counter(arrange(legs, random.randrange)[0] for _ in range(4000))
    assert set(first) == {0, 1} and 2700 < first[0] < 3300


def test_pause_between_retries_doubles_up_to_a_limit() -> None:
    assert [pause_us(n, lambda most: most - 1) for n in (0, 1, 2, 20)] == [250_000, 500_000, 1_000_000, 8_000_000]
    assert pause_us(0, lambda most: 0) == 125_000


def test_drop_reasons_begin_with_the_access_denials() -> None:
    """`Drop` takes a denial over by its value, and `routes explain` shows that."""
    assert [drop.value for drop in Drop][: len(AccessDenial)] == [denial.value for denial in AccessDenial]

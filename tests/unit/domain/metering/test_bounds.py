from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softix_proxy.domain.core.money import MAX_PICO
from softix_proxy.domain.metering.bounds import (
    FACTOR_ONE,
    WHOLE_MODEL,
    Bound,
    WidenedBound,
    Widening,
    exceeded,
    widening_of,
)

AMOUNTS = st.integers(0, 10**13)
widenings = st.builds(Widening, AMOUNTS, st.integers(FACTOR_ONE, 10**6), AMOUNTS)


@given(st.integers(0, 10**12), st.integers(1, 10**13), st.integers(0, 10**12))
def test_hold_of_the_same_request_after_an_excess_covers_its_charge(narrow: int, missing: int, widened: int) -> None:
    """Whatever a widening had added before."""
    wider = exceeded(narrow + widened + missing, narrow + widened, widened)
    assert wider.hold_pico(narrow) >= narrow + widened + missing
    assert wider.excess_pico == widened + missing


@given(st.integers(1, 10**6), st.integers(1, 50))
def test_hold_of_a_request_twice_as_large_after_an_excess_covers_its_charge(narrow: int, times: int) -> None:
    """What multiplies the bound, such as rounds, multiplies it for the larger request as well."""
    wider = exceeded(narrow * (times + 1), narrow, 0)
    assert wider.hold_pico(2 * narrow) >= 2 * narrow * (times + 1)


def test_hold_of_a_large_request_after_the_excess_of_a_tiny_one_hardly_grows() -> None:
    """A request held for a micro-dollar cost five cents. One that is held for a dollar is not held for 50,000."""
    wider = exceeded(5 * 10**10, 10**6, 0)
    assert wider.factor_permille == 50_000 * FACTOR_ONE
    assert wider.hold_pico(10**12) == 10**12 + 5 * 10**10 - 10**6


@given(widenings, AMOUNTS, st.integers(-(10**13), 10**13))
def test_narrow_amount_is_the_highest_whose_hold_the_funds_pay_for(wide: Widening, narrow: int, funds: int) -> None:
    most = wide.narrow_pico(funds)
    assert (wide.hold_pico(narrow) <= funds) == (narrow <= most)


@given(widenings, widenings, AMOUNTS)
def test_widening_also_by_another_adds_at_least_as_much_as_each(one: Widening, other: Widening, narrow: int) -> None:
    both = one.also(other)
    assert both.hold_pico(narrow) >= max(one.hold_pico(narrow), other.hold_pico(narrow))


def test_widening_of_a_hold_of_nothing_adds_the_charge() -> None:
    wider = exceeded(70, 0, 0)
    assert wider == Widening(70, FACTOR_ONE, 70) and wider.hold_pico(0) == 70 and wider.hold_pico(5) == 75


def test_widening_of_the_largest_charge_fits_into_its_columns() -> None:
    assert max(exceeded(MAX_PICO, 1, 0)) == MAX_PICO


def test_widening_of_a_request_is_that_of_the_model_and_of_its_members() -> None:
    found = {WHOLE_MODEL: Widening(1, 1000, 9), "documents": Widening(5, 2000, 3), "tools": Widening(7, 1000, 7)}
    assert widening_of(found, ()) == Widening(1, 1000, 9)
    assert widening_of(found, ("documents",)) == Widening(5, 2000, 9)
    assert widening_of(found, ("documents", "tools")) == Widening(7, 2000, 9)
    assert widening_of({"documents": Widening(5, 2000, 3)}, ("tools",)) is None


# In a bound


def together(bounds: list[Bound], times: int) -> Bound:
    """Of several targets."""
    most = max(bound.output_tokens for bound in bounds)
    return Bound(output_tokens=most, adjustable=True, times=times, targets=tuple(bounds))


bounds = st.builds(
    Bound,
    fixed_pico=st.integers(0, 10**10),
    token_num=st.integers(0, 10**6),
    token_den=st.integers(1, 7),
    output_tokens=st.integers(0, 5000),
    adjustable=st.just(True),
    widening=st.none() | widenings,
)


@given(st.lists(bounds, min_size=1, max_size=3), st.integers(1, 3), st.integers(0, 10**13))
def test_hold_for_the_affordable_tokens_of_widened_bounds_is_within_the_funds(
    several: list[Bound], times: int, funds: int
) -> None:
    found = together(several, times)
    tokens = found.affordable_tokens(funds)
    if tokens >= 0:
        assert found.hold_pico(min(tokens, found.output_tokens)) <= funds
    else:
        assert found.hold_pico(0) > funds


@given(st.lists(bounds, min_size=1, max_size=3), st.integers(1, 3), st.integers(0, 5000))
def test_hold_without_its_widened_part_is_that_of_the_bounds_alone(
    several: list[Bound], times: int, tokens: int
) -> None:
    found, narrow = together(several, times), together([replace(each, widening=None) for each in several], times)
    assert found.hold_pico(tokens) - found.widened_pico(tokens) == narrow.hold_pico(tokens)


# Figures


def test_factor_is_in_thousandths_and_rounded_up() -> None:
    """999 × 1.001 = 999.999."""
    assert Widening(0, 1500, 10**9).hold_pico(1000) == 1500
    assert Widening(0, 1001, 10**9).hold_pico(999) == 1000
    assert exceeded(70, 3, 0).factor_permille == 23_334
    assert exceeded(70, 0, 0).factor_permille == 1000


def test_factor_makes_no_hold_of_more_than_twice_the_highest_charge() -> None:
    assert Widening(10, 50_000, 200).hold_pico(100) == 400


def test_narrow_amount_is_limited_by_the_factor_below_twice_the_highest_charge_only() -> None:
    """A hold of 100 doubles to 200, of which twice the charge, 100, counts. A hold of 50 doubles to 100."""
    doubled = Widening(0, 2000, 50)
    assert [doubled.narrow_pico(funds_pico) for funds_pico in (101, 100, 99)] == [101, 100, 49]


def test_whole_model_is_stored_as_an_empty_text() -> None:
    assert widening_of({"": Widening(1, 1000, 9)}, ()) == Widening(1, 1000, 9)


# Fewer calls of hosted tools


def calling(calls: int, **changes: Any) -> Bound:
    """100 for the input, 10 for each call, 1 for each of 50 tokens."""
    return Bound(fixed_pico=100 + 10 * calls, token_num=1, output_tokens=50, least_tokens=5, **changes)


@pytest.mark.parametrize(
    ("funds_pico", "adjustable", "found"),
    [
        (250, True, (None, None)),
        (249, True, (49, None)),
        (205, True, (5, None)),
        (204, True, (14, 9)),
        (160, True, (10, 5)),
        (115, True, (5, 1)),
        (114, True, None),
        (249, False, (None, 9)),
        (240, False, (None, 9)),
        (239, False, (None, 8)),
        (160, False, (None, 1)),
        (159, False, None),
    ],
)
def test_funds_pay_for_shorter_output_first_and_then_for_fewer_calls(
    funds_pico: int, adjustable: bool, found: tuple[int | None, int | None] | None
) -> None:
    bound = calling(
        10, adjustable=adjustable, call_limit=10, with_calls=lambda calls: calling(calls, adjustable=adjustable)
    )
    funding = bound.within(funds_pico)
    if found is None:
        assert funding is None
        return
    assert funding is not None and (funding.output_limit, funding.call_limit) == found
    tokens = 50 if funding.output_limit is None else funding.output_limit
    assert funding.hold_pico == 100 + 10 * (funding.call_limit or 10) + tokens <= funds_pico
    assert funding.bound == bound.limited(funding.call_limit)


def test_bound_without_a_written_limit_on_calls_cannot_be_lowered() -> None:
    assert calling(10).within(249) is None and calling(10).limited(1) == calling(10)
    one = calling(1, call_limit=1, with_calls=calling)
    assert one.within(159) is None and one.limited(None) is one


def test_bound_is_of_a_request_whose_calls_nobody_limits() -> None:
    bound = Bound(fixed_pico=5)
    assert bound.call_limit is None and bound.limited(1) is bound


@pytest.mark.parametrize(("excess_pico", "is_wider"), [(0, False), (1, True), (70, True)])
def test_bound_is_wider_as_long_as_anything_is_added(excess_pico: int, is_wider: bool) -> None:
    widening = Widening(excess_pico, FACTOR_ONE, excess_pico)
    bound = WidenedBound(1, 1, WHOLE_MODEL, widening, 1, 70, 0, 5, 5, 9)
    assert bound.is_wider is is_wider

"""What a budget has left, in which period a charge counts, and which parts are reached."""

import pytest

from softix_proxy.domain.core.calendar import Calendar
from softix_proxy.domain.core.clock import DAY_US, SLACK_US, parse_instant
from softix_proxy.domain.metering.budgets import BUDGET_PERIODS, Budget, BudgetPeriod, BudgetState, reached

UTC = Calendar("UTC")
NOW_US = parse_instant("2026-11-25T12:00:00Z")
"""A Wednesday."""


def state(period: BudgetPeriod = "day", **values: int) -> BudgetState:
    return BudgetState(**{"id": 1, "amount_pico": 1000, **values}, period=period)  # type: ignore[arg-type]


def test_budget_room_is_the_amount_without_what_is_spent_and_held() -> None:
    budget = state(spent_at_us=NOW_US, spent_pico=300, held_pico=200)
    assert budget.room_pico(UTC.at(NOW_US)) == 500
    assert budget.room_pico(UTC.at(NOW_US + DAY_US)) == 800, "a hold counts whatever the day, and the spend is over"


@pytest.mark.parametrize(
    ("period", "last", "first"),
    [
        ("day", "2026-11-25T23:59:59.999999Z", "2026-11-26"),
        ("week", "2026-11-29T23:59:59.999999Z", "2026-11-30"),
        ("month", "2026-11-30T23:59:59.999999Z", "2026-12-01"),
    ],
)
def test_budget_of_a_period_starts_anew_with_the_next_one(period: BudgetPeriod, last: str, first: str) -> None:
    budget = state(period)
    budget.spend(300, NOW_US, UTC)
    assert budget.spent_in(UTC.at(parse_instant(last))) == 300
    assert budget.spent_in(UTC.at(parse_instant(first))) == 0
    assert UTC.at(NOW_US).end_us_of(period) == parse_instant(first)
    budget.spend(5, parse_instant(first), UTC)
    assert (budget.spent_pico, budget.spent_at_us) == (5, parse_instant(first))


def test_budget_day_goes_by_the_zone_that_is_billed_in() -> None:
    """Kolkata is 5:30 ahead, so its day begins at 18:30 UTC."""
    kolkata, budget = Calendar("Asia/Kolkata"), state()
    evening_us, night_us = parse_instant("2026-11-25T18:29:59Z"), parse_instant("2026-11-25T18:30:00Z")
    budget.spend(7, evening_us, kolkata)
    assert budget.spent_in(kolkata.at(night_us)) == 0
    assert kolkata.at(evening_us).end_us_of("day") == night_us


def test_month_of_a_december_ends_with_the_year() -> None:
    assert UTC.at(parse_instant("2026-12-31T23:00:00Z")).end_us_of("month") == parse_instant("2027-01-01")
    assert UTC.at(parse_instant("2028-02-10")).end_us_of("month") == parse_instant("2028-03-01"), "a leap year"


def test_correction_counts_only_in_the_period_of_the_charge_that_it_changes() -> None:
    budget = state()
    budget.spend(300, NOW_US, UTC)
    budget.correct(-100, NOW_US - 1, UTC)
    assert budget.spent_pico == 200
    budget.correct(-100, NOW_US - DAY_US, UTC)
    assert (budget.spent_pico, budget.spent_at_us) == (200, NOW_US)


def test_budget_after_a_clock_that_was_ahead_counts_what_was_spent_by_it() -> None:
    budget = state(spent_at_us=NOW_US + SLACK_US + 1, spent_pico=300)
    budget.come_back(NOW_US)
    assert (budget.spent_at_us, budget.spent_in(UTC.at(NOW_US))) == (NOW_US, 300)
    ahead = state(spent_at_us=NOW_US + SLACK_US, spent_pico=300)
    ahead.come_back(NOW_US)
    assert ahead.spent_at_us == NOW_US + SLACK_US, "the clock catches up with this"


@pytest.mark.parametrize(
    ("spent_pico", "percents"),
    [(0, ()), (499, ()), (500, (50,)), (799, (50,)), (800, (50, 80)), (999, (50, 80)), (1000, (50, 80, 100))],
)
def test_reached_parts_of_a_budget_are_those_that_are_spent(spent_pico: int, percents: tuple[int, ...]) -> None:
    assert reached(spent_pico, 1000) == percents


def test_charge_reaches_each_part_of_a_budget_once_in_a_period() -> None:
    budget = state()
    told = [budget.spend(charge, NOW_US + at, UTC) for at, charge in enumerate((499, 1, 1, 400, 99))]
    assert told == [(), (50,), (), (80,), (100,)]
    assert budget.spend(1000, NOW_US + DAY_US, UTC) == (50, 80, 100)


@pytest.mark.parametrize(
    ("spent_pico", "needed_pico", "is_used_up"),
    [(799, 300, False), (800, 201, True), (800, 200, False), (0, 2000, False), (1000, 1, True)],
)
def test_budget_is_used_up_if_the_last_fifth_is_too_small_for_a_request(
    spent_pico: int, needed_pico: int, is_used_up: bool
) -> None:
    budget = state(spent_at_us=NOW_US, spent_pico=spent_pico, held_pico=900)
    assert budget.is_used_up(needed_pico, UTC.at(NOW_US)) is is_used_up


def test_budget_gives_its_state() -> None:
    budget = Budget(3, "bud_a", 1, None, 2, "week", 1000, 1, held_pico=4, spent_at_us=5, spent_pico=6)
    assert budget.state() == BudgetState(3, 1000, "week", 4, 5, 6)


def test_periods_of_budgets_are_the_stored_words() -> None:
    assert BUDGET_PERIODS == ("day", "week", "month")


def test_new_budget_has_spent_and_holds_nothing() -> None:
    assert BudgetState(1, 1000, "day") == BudgetState(1, 1000, "day", held_pico=0, spent_at_us=0, spent_pico=0)
    budget = Budget(3, "bud_a", 1, None, 2, "week", 1000, 1)
    assert (budget.held_pico, budget.spent_at_us, budget.spent_pico) == (0, 0, 0)


@pytest.mark.parametrize("period", BUDGET_PERIODS)
def test_charge_at_the_first_instant_of_a_period_counts_in_it(period: BudgetPeriod) -> None:
    first_us = UTC.at(NOW_US).start_us(period)
    budget = state(period, spent_at_us=first_us - 1, spent_pico=300)
    budget.spend(40, first_us, UTC)
    assert (budget.spent_pico, budget.spent_in(UTC.at(NOW_US))) == (40, 40)
    budget.spend(2, NOW_US, UTC)
    assert budget.spent_pico == 42


def test_correction_of_a_charge_at_the_first_instant_of_the_period_counts_and_before_it_reaches_nothing() -> None:
    day_us = UTC.at(NOW_US).day_us
    budget = state(spent_at_us=NOW_US, spent_pico=300)
    assert budget.correct(600, day_us - 1, UTC) == ()
    assert budget.spent_pico == 300
    assert budget.correct(600, day_us, UTC) == (50, 80)
    assert budget.spent_pico == 900


def test_smallest_charge_reaches_all_parts_of_the_smallest_budget_and_no_charge_reaches_none() -> None:
    assert reached(1, 1) == (50, 80, 100)
    assert reached(0, 0) == reached(-1, 0) == ()

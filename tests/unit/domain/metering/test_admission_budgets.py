"""What admission decides for a key whose project or member has a budget."""

from __future__ import annotations

import pytest
from support.books import make_intent

from softix_proxy.domain.access.keys import KeyLimits
from softix_proxy.domain.core.calendar import Calendar
from softix_proxy.domain.core.clock import parse_instant
from softix_proxy.domain.core.errors import Code
from softix_proxy.domain.metering.admission import Admitted, Denied, KeyState, WalletState, close, decide
from softix_proxy.domain.metering.bounds import Bound
from softix_proxy.domain.metering.budgets import BudgetPeriod, BudgetState

UTC = Calendar("UTC")
NOW_US = parse_instant("2026-11-25T12:00:00Z")
TODAY = UTC.at(NOW_US)
RICH = 10**9
TEN_A_TOKEN = Bound(fixed_pico=100, token_num=10, token_den=1, output_tokens=50, adjustable=True, least_tokens=5)
"""600 for all of it, and 150 for the least."""


def budget(amount_pico: int, period: BudgetPeriod = "day", **values: int) -> BudgetState:
    return BudgetState(1, amount_pico, period, **values)


def decided(bound: Bound, *budgets: BudgetState, posted_pico: int = RICH, **limits: int) -> Admitted | Denied:
    intent = make_intent(1, 1, bound=bound, limits=KeyLimits(**limits))  # type: ignore[arg-type]
    return decide(intent, WalletState(posted_pico, 0, 0), KeyState(), NOW_US, TODAY, budgets)


def test_admitted_request_is_held_in_each_budget_of_its_key() -> None:
    project, member = budget(1000), budget(700, "month")
    assert isinstance(decided(TEN_A_TOKEN, project, member), Admitted)
    assert (project.held_pico, member.held_pico) == (600, 600)


@pytest.mark.parametrize(("period", "until"), [("day", "2026-11-26"), ("week", "2026-11-30"), ("month", "2026-12-01")])
def test_request_beyond_a_budget_is_refused_until_its_next_period(period: BudgetPeriod, until: str) -> None:
    used = budget(1000, period, spent_at_us=NOW_US, spent_pico=500, held_pico=360)
    decision = decided(TEN_A_TOKEN, used)
    assert isinstance(decision, Denied)
    assert (decision.code, decision.needed_pico, decision.available_pico) == (Code.BUDGET_REACHED, 150, 140)
    assert decision.retry_after_us == parse_instant(until) - NOW_US
    assert used.held_pico == 360, "a refused request holds nothing"


def test_refused_request_waits_for_every_budget_that_is_too_small() -> None:
    day, month = budget(100), budget(140, "month")
    decision = decided(TEN_A_TOKEN, day, month, budget(RICH, "week"))
    assert isinstance(decision, Denied) and decision.retry_after_us == parse_instant("2026-12-01") - NOW_US


def test_open_request_of_another_key_counts_against_their_budget() -> None:
    assert isinstance(decided(Bound(fixed_pico=600), budget(1000, held_pico=400)), Admitted)
    refused = decided(Bound(fixed_pico=600), budget(1000, held_pico=401))
    assert isinstance(refused, Denied) and refused.available_pico == 599


def test_request_without_an_output_limit_gets_the_one_that_its_budget_affords() -> None:
    decision = decided(TEN_A_TOKEN, budget(RICH), budget(200))
    assert isinstance(decision, Admitted) and (decision.hold_pico, decision.output_limit) == (200, 10)


@pytest.mark.parametrize(
    ("posted_pico", "cap_pico", "budget_pico", "code"),
    [
        (120, 130, 140, Code.INSUFFICIENT_BALANCE),
        (140, 120, 130, Code.CAP_REACHED),
        (140, 130, 120, Code.BUDGET_REACHED),
        (120, 120, 120, Code.BUDGET_REACHED),
    ],
)
def test_refusal_names_the_limit_that_leaves_least(
    posted_pico: int, cap_pico: int, budget_pico: int, code: Code
) -> None:
    decision = decided(TEN_A_TOKEN, budget(budget_pico), posted_pico=posted_pico, cap_pico=cap_pico)
    assert isinstance(decision, Denied) and decision.code is code
    assert decision.available_pico == 120
    assert (decision.retry_after_us is None) is (code is not Code.BUDGET_REACHED)


def test_free_request_passes_a_budget_that_is_used_up() -> None:
    assert isinstance(decided(Bound(), budget(0)), Admitted)


def test_closed_request_releases_its_hold_in_each_budget() -> None:
    project, member = budget(1000, held_pico=600), budget(1000, held_pico=700)
    close(WalletState(RICH, 600, 0), KeyState(held_pico=600), 600, 50, NOW_US, TODAY, budgets=(project, member))
    assert (project.held_pico, member.held_pico) == (0, 100)
    assert (project.spent_pico, member.spent_pico) == (0, 0), "the posting counts the charge"


def test_admitted_request_adds_to_what_its_budgets_hold_already() -> None:
    project = budget(1000, held_pico=300)
    assert isinstance(decided(TEN_A_TOKEN, project), Admitted)
    assert project.held_pico == 900


@pytest.mark.parametrize(("room_pico", "until"), [(149, "2026-12-01"), (150, "2026-11-26"), (151, "2026-11-26")])
def test_refused_request_does_not_wait_for_a_budget_that_affords_the_least_of_it(room_pico: int, until: str) -> None:
    decision = decided(TEN_A_TOKEN, budget(100), budget(room_pico, "month"))
    assert isinstance(decision, Denied) and decision.needed_pico == 150
    assert decision.retry_after_us == parse_instant(until) - NOW_US

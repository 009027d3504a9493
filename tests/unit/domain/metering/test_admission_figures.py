"""Figures of bounds, keys and decisions that are worked out by hand."""

from dataclasses import replace
from typing import Any

import pytest
from support.books import NOW_US, make_intent

from softix_proxy.domain.access.keys import KeyLimits
from softix_proxy.domain.access.limits import MINUTE_US
from softix_proxy.domain.access.objects import AccountPlace
from softix_proxy.domain.core.calendar import Calendar, Today
from softix_proxy.domain.core.clock import SECOND_US, SLACK_US, parse_instant
from softix_proxy.domain.core.errors import Code
from softix_proxy.domain.core.money import MAX_PICO
from softix_proxy.domain.metering.admission import (
    Admitted,
    Allowance,
    Denied,
    Intent,
    IntentPlace,
    KeyState,
    RateCheck,
    WalletState,
    close,
    count,
    decide,
    payable_pico,
)
from softix_proxy.domain.metering.bounds import NOTHING, Bound, Widening

UTC = Calendar("UTC")
TEN_A_TOKEN = Bound(fixed_pico=100, token_num=10, output_tokens=50, adjustable=True, least_tokens=5)


def day_of(now_us: int) -> Today:
    return UTC.at(now_us)


def decided(intent: Intent, wallet: WalletState, key: KeyState, now_us: int) -> Admitted | Denied:
    return decide(intent, wallet, key, now_us, day_of(now_us))


def ask(bound: Bound, limits: KeyLimits | None = None, **changes: Any) -> Any:
    return make_intent(1, 1, bound=bound, limits=limits or KeyLimits(), **changes)


# Figures of a bound


def test_hold_of_a_bound_is_rounded_up_once_and_then_multiplied() -> None:
    """100 + 4 × 10/3 = 113.33…"""
    once = Bound(fixed_pico=100, token_num=10, token_den=3)
    assert [once.hold_pico(tokens) for tokens in (0, 3, 4)] == [100, 110, 114]
    assert replace(once, times=3).hold_pico(4) == 342


def test_bound_without_figures_costs_nothing_once() -> None:
    assert (NOTHING.hold_pico(1000), NOTHING.affordable_tokens(0), NOTHING.least_tokens) == (0, 0, 1)
    assert NOTHING.adjustable is False


def test_hold_of_several_targets_is_that_of_the_dearest_at_its_own_output_limit() -> None:
    short = Bound(fixed_pico=10, token_num=2, output_tokens=50)
    long = Bound(fixed_pico=60, token_num=1, output_tokens=100)
    either = Bound(output_tokens=100, targets=(short, long), times=2)
    assert either.hold_pico(100) == 2 * (60 + 100)
    assert either.hold_pico(70) == 2 * (60 + 70)
    assert either.hold_pico(50) == 2 * (10 + 2 * 50)
    assert either.hold_pico(10) == 2 * (60 + 10)


def test_affordable_tokens_of_repeated_request_are_rounded_down_for_one_repetition() -> None:
    """1000 // 3 = 333; 233 × 3 // 10 = 69."""
    bound = Bound(fixed_pico=100, token_num=10, token_den=3, times=3)
    assert bound.affordable_tokens(1000) == 69
    assert [bound.affordable_tokens(funds_pico) for funds_pico in (299, 300, 309, 312)] == [-1, 0, 0, 1]


def test_affordable_tokens_with_several_targets_are_limited_by_those_not_fully_affordable() -> None:
    dear, cheap = Bound(token_num=10, output_tokens=80), Bound(token_num=1, output_tokens=20)
    for targets in ((dear, cheap), (cheap, dear)):
        either = Bound(output_tokens=100, targets=targets)
        assert [either.affordable_tokens(funds_pico) for funds_pico in (800, 799, 300, 19)] == [100, 79, 30, 1]
    closed = Bound(output_tokens=100, targets=(cheap, Bound(fixed_pico=50, token_num=1, output_tokens=20)))
    assert [closed.affordable_tokens(funds_pico) for funds_pico in (49, 50, 60, 70)] == [-1, 0, 10, 100]


# Figures of a key

WEDNESDAY_US = parse_instant("2026-11-18T10:00:00Z")


def spent_until(spent_at_us: int) -> KeyState:
    return KeyState(
        spent_at_us=spent_at_us, spent_day_pico=10, spent_week_pico=20, spent_month_pico=30, spent_total_pico=40
    )


def sums(key: KeyState) -> tuple[int, ...]:
    return key.spent_day_pico, key.spent_week_pico, key.spent_month_pico, key.spent_total_pico


def test_key_state_of_new_key_is_all_zero() -> None:
    assert sums(KeyState()) == (0, 0, 0, 0)
    key = KeyState()
    assert (key.rpm_tat_us, key.tpm_tat_us, key.open_requests, key.held_pico, key.spent_at_us) == (0, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ("2026-11-18T00:00:00Z", (17, 27, 37, 47)),
        ("2026-11-17T23:59:59Z", (7, 27, 37, 47)),
        ("2026-11-16T00:00:00Z", (7, 27, 37, 47)),
        ("2026-11-15T23:59:59Z", (7, 7, 37, 47)),
        ("2026-11-01T00:00:00Z", (7, 7, 37, 47)),
        ("2026-10-31T23:59:59Z", (7, 7, 7, 47)),
    ],
)
def test_spend_after_a_pause_restarts_the_sums_of_the_periods_that_ended(last: str, expected: tuple[int, ...]) -> None:
    key = spent_until(parse_instant(last))
    key.spend(7, WEDNESDAY_US, day_of(WEDNESDAY_US))
    assert sums(key) == expected and key.spent_at_us == WEDNESDAY_US


def test_spend_after_clock_went_back_keeps_the_later_instant() -> None:
    key = spent_until(WEDNESDAY_US + 5)
    key.spend(1, WEDNESDAY_US, day_of(WEDNESDAY_US))
    assert key.spent_at_us == WEDNESDAY_US + 5


@pytest.mark.parametrize(
    ("posted", "expected"),
    [
        ("2026-11-18T00:00:00Z", (7, 17, 27, 37)),
        ("2026-11-17T23:59:59Z", (10, 17, 27, 37)),
        ("2026-11-16T00:00:00Z", (10, 17, 27, 37)),
        ("2026-11-15T23:59:59Z", (10, 20, 27, 37)),
        ("2026-11-01T00:00:00Z", (10, 20, 27, 37)),
        ("2026-10-31T23:59:59Z", (10, 20, 30, 37)),
    ],
)
def test_correction_of_earlier_charge_changes_the_sums_that_still_include_it(
    posted: str, expected: tuple[int, ...]
) -> None:
    key = spent_until(WEDNESDAY_US)
    key.correct(-3, parse_instant(posted), WEDNESDAY_US + 9, day_of(WEDNESDAY_US))
    assert sums(key) == expected and key.spent_at_us == WEDNESDAY_US + 9


def test_correction_after_a_pause_resets_the_sums_of_the_periods_that_ended() -> None:
    key = spent_until(parse_instant("2026-11-16T12:00:00Z"))
    key.correct(3, parse_instant("2026-11-16T12:00:00Z"), WEDNESDAY_US, day_of(WEDNESDAY_US))
    assert sums(key) == (0, 23, 33, 43)
    late = spent_until(WEDNESDAY_US + 5)
    late.correct(3, WEDNESDAY_US, WEDNESDAY_US, day_of(WEDNESDAY_US))
    assert late.spent_at_us == WEDNESDAY_US + 5


@pytest.mark.parametrize(
    ("field", "furthest_us"),
    [("spent_at_us", SLACK_US), ("rpm_tat_us", MINUTE_US), ("tpm_tat_us", 61 * MINUTE_US)],
)
def test_key_state_with_instant_impossibly_far_ahead_comes_back_to_now(field: str, furthest_us: int) -> None:
    possible, wrong = KeyState(**{field: NOW_US + furthest_us}), KeyState(**{field: NOW_US + furthest_us + 1})
    for key in (possible, wrong):
        key.come_back(NOW_US)
    assert getattr(possible, field) == NOW_US + furthest_us
    assert getattr(wrong, field) == NOW_US


# Figures of a decision


def test_writable_amount_of_wallet_in_debt_is_what_64_bits_still_allow() -> None:
    assert WalletState(5, 0, 0).writable_pico == MAX_PICO
    assert WalletState(-5, 3, 100).writable_pico == MAX_PICO - 5 - 3


def test_admission_with_all_limits_changes_wallet_and_key_state_by_what_it_admits() -> None:
    wallet, key = WalletState(10_000, 7, 0), KeyState(open_requests=2, held_pico=7)
    limits = KeyLimits(rpm=60, tpm=600, concurrency=3)
    decision = decided(ask(TEN_A_TOKEN, limits, tokens_estimate=90), wallet, key, NOW_US)
    assert decision == Admitted(600, None, 90, Allowance(59, SECOND_US, 510, 9 * SECOND_US))
    assert (wallet.held_pico, wallet.posted_pico) == (607, 10_000)
    assert (key.held_pico, key.open_requests) == (607, 3)
    assert (key.rpm_tat_us, key.tpm_tat_us) == (NOW_US + SECOND_US, NOW_US + 9 * SECOND_US)


def test_admission_with_one_limit_returns_no_allowance_of_the_other() -> None:
    for limits, allowance in (
        (KeyLimits(rpm=60), Allowance(59, SECOND_US, None, 0)),
        (KeyLimits(tpm=600), Allowance(None, 0, 600, 0)),
        (KeyLimits(), Allowance(None, 0, None, 0)),
    ):
        decision = decided(ask(NOTHING, limits), WalletState(0, 0, 0), KeyState(), NOW_US)
        assert isinstance(decision, Admitted) and decision.allowance == allowance


def test_token_estimate_above_the_limit_holds_at_most_the_allowance_of_a_minute() -> None:
    decision = decided(ask(NOTHING, KeyLimits(tpm=600), tokens_estimate=6000), WalletState(0, 0, 0), KeyState(), NOW_US)
    assert isinstance(decision, Admitted) and decision.tokens_held == 600
    assert decided(ask(NOTHING, tokens_estimate=5), WalletState(0, 0, 0), KeyState(), NOW_US).allowance == Allowance()


@pytest.mark.parametrize(
    ("limits", "key", "code", "retry_after_us"),
    [
        (KeyLimits(concurrency=2, rpm=60), KeyState(open_requests=2), Code.CONCURRENCY_LIMITED, SECOND_US),
        (KeyLimits(rpm=1), KeyState(rpm_tat_us=NOW_US + MINUTE_US), Code.RATE_LIMITED, MINUTE_US),
        (KeyLimits(tpm=6, rpm=60), KeyState(tpm_tat_us=NOW_US + MINUTE_US), Code.TOKENS_LIMITED, MINUTE_US // 2),
    ],
)
def test_denial_by_limit_returns_the_wait_and_the_allowance_left(
    limits: KeyLimits, key: KeyState, code: Code, retry_after_us: int
) -> None:
    """Of six tokens a minute, three are free again after half of it."""
    before = replace(key)
    decision = decided(ask(NOTHING, limits, tokens_estimate=3), WalletState(0, 0, 0), key, NOW_US)
    left = Allowance(
        requests_remaining=None if limits.rpm is None else 0 if key.rpm_tat_us else 60,
        requests_reset_us=MINUTE_US if key.rpm_tat_us else 0,
        tokens_remaining=None if limits.tpm is None else 0,
        tokens_reset_us=MINUTE_US if key.tpm_tat_us else 0,
    )
    assert decision == Denied(code, retry_after_us, 0, 0, 0, left)
    assert key == before


@pytest.mark.parametrize(
    ("balance_pico", "cap_pico", "expected"),
    [
        (149, None, Denied(Code.INSUFFICIENT_BALANCE, None, 150, 149, 4)),
        (99, None, Denied(Code.INSUFFICIENT_BALANCE, None, 150, 99, 0)),
        (-1, None, Denied(Code.INSUFFICIENT_BALANCE, None, 150, 0, 0)),
        (140, 140, Denied(Code.CAP_REACHED, None, 150, 140, 4)),
        (140, 141, Denied(Code.INSUFFICIENT_BALANCE, None, 150, 140, 4)),
        (10_000, 120, Denied(Code.CAP_REACHED, None, 150, 120, 2)),
    ],
)
def test_denial_with_too_little_money_returns_the_cost_of_the_shortest_useful_response(
    balance_pico: int, cap_pico: int | None, expected: Denied
) -> None:
    """100 + 5 × 10, and what is there affords at the most."""
    wallet = WalletState(balance_pico, 0, 0)
    assert decided(ask(TEN_A_TOKEN, KeyLimits(cap_pico=cap_pico)), wallet, KeyState(), NOW_US) == expected


def test_denial_with_too_little_money_returns_the_unreduced_allowance() -> None:
    decision = decided(ask(TEN_A_TOKEN, KeyLimits(rpm=60)), WalletState(0, 0, 0), KeyState(), NOW_US)
    assert isinstance(decision, Denied) and decision.allowance == Allowance(60, 0, None, 0)


def test_cap_in_admission_counts_held_and_spent_amounts() -> None:
    limits = KeyLimits(cap_pico=1000, cap_period="total")
    for held_pico, hold_pico in ((100, 600), (101, 590)):
        key = KeyState(spent_at_us=NOW_US, spent_total_pico=300, held_pico=held_pico)
        decision = decided(ask(TEN_A_TOKEN, limits), WalletState(10**6, 0, 0), key, NOW_US)
        assert isinstance(decision, Admitted) and decision.hold_pico == hold_pico


def test_admission_of_free_request_with_reached_cap_is_granted() -> None:
    key = KeyState(spent_at_us=NOW_US, spent_total_pico=300)
    decision = decided(ask(NOTHING, KeyLimits(cap_pico=0, cap_period="total")), WalletState(0, 0, 0), key, NOW_US)
    assert isinstance(decision, Admitted) and (decision.hold_pico, decision.output_limit) == (0, None)


def test_close_of_parked_request_keeps_the_number_of_open_requests() -> None:
    wallet, key = WalletState(1000, 300, 0), KeyState(open_requests=1, held_pico=300)
    close(wallet, key, 100, 0, NOW_US, day_of(NOW_US), parked=True)
    assert (wallet.posted_pico, wallet.held_pico) == (1000, 200)
    assert (key.open_requests, key.held_pico, key.spent_at_us) == (1, 200, 0), "nothing was charged"


def test_admission_without_token_limit_holds_no_tokens() -> None:
    decision = decided(ask(NOTHING, tokens_estimate=5), WalletState(0, 0, 0), KeyState(), NOW_US)
    assert decision == Admitted(0, None, 0, Allowance())


def test_denial_with_code_only_has_no_figures() -> None:
    denied = Denied(Code.CAP_REACHED)
    assert denied.retry_after_us is None
    assert (denied.needed_pico, denied.available_pico, denied.affordable_tokens) == (0, 0, 0)
    assert denied.allowance == Allowance(None, 0, None, 0)


# Figures of a bound that was widened

WIDER = replace(TEN_A_TOKEN, widening=Widening(excess_pico=70, factor_permille=1000, dearest_pico=700))
"""600 and the 70 that were missing once."""


def test_affordable_tokens_of_a_widened_bound_leave_room_for_what_it_adds() -> None:
    """Of 300, 70 are added and 100 are the input. 130 pay for 13 tokens."""
    assert WIDER.affordable_tokens(300) == 13


@pytest.mark.parametrize("bound", [WIDER, Bound(output_tokens=50, targets=(WIDER,))])
def test_admission_of_a_widened_bound_tells_the_part_that_was_added(bound: Bound) -> None:
    decision = decided(ask(bound), WalletState(10**6, 0, 0), KeyState(), NOW_US)
    assert isinstance(decision, Admitted) and (decision.hold_pico, decision.widened_pico) == (670, 70)


def test_admission_with_exactly_the_funds_leaves_the_request_as_it_is() -> None:
    decision = decided(ask(TEN_A_TOKEN), WalletState(600, 0, 0), KeyState(), NOW_US)
    assert isinstance(decision, Admitted)
    assert (decision.hold_pico, decision.output_limit, decision.widened_pico, decision.place) == (600, None, 0, None)


def test_intent_and_denial_without_things_name_none() -> None:
    intent = ask(TEN_A_TOKEN)
    assert (intent.refs, intent.places) == ((), ())
    denied = decided(intent, WalletState(0, 0, 0), KeyState(), NOW_US)
    assert isinstance(denied, Denied) and denied.about == ""


def test_read_beyond_the_rate_is_denied_with_what_is_left() -> None:
    check, key = RateCheck(1, 1, KeyLimits(rpm=1)), KeyState()
    count(check, key, NOW_US)
    denied = count(check, key, NOW_US)
    assert isinstance(denied, Denied)
    assert denied.allowance == Allowance(requests_remaining=0, requests_reset_us=MINUTE_US)


# Figures of limits that are written into the request


def with_calls(calls: int) -> Bound:
    return Bound(fixed_pico=100 * calls, token_num=1, output_tokens=20)


SEARCHES = replace(with_calls(10), call_limit=10, with_calls=with_calls)
"""1,020 for ten searches, and 120 for one."""


@pytest.mark.parametrize(("funds_pico", "call_limit"), [(1020, None), (1019, 9), (320, 3), (319, 2), (120, 1)])
def test_admission_with_too_little_for_all_calls_writes_the_most_that_are_paid_for(
    funds_pico: int, call_limit: int | None
) -> None:
    decision = decided(ask(SEARCHES), WalletState(funds_pico, 0, 0), KeyState(), NOW_US)
    hold_pico = 100 * (call_limit or 10) + 20
    assert decision == Admitted(hold_pico, None, 0, Allowance(), None, 0, call_limit)


def test_denial_of_a_request_with_calls_tells_what_it_costs_with_one() -> None:
    decision = decided(ask(SEARCHES), WalletState(119, 0, 0), KeyState(), NOW_US)
    assert decision == Denied(Code.INSUFFICIENT_BALANCE, None, 120, 119, 19)


def test_admission_of_a_widened_bound_with_less_output_tells_the_part_that_was_added_to_that() -> None:
    """Of 400, a half pays for the bound: 100 and ten tokens. All 50 tokens would have added 600."""
    doubled = replace(TEN_A_TOKEN, widening=Widening(excess_pico=0, factor_permille=2000, dearest_pico=10**6))
    decision = decided(ask(doubled), WalletState(400, 0, 0), KeyState(), NOW_US)
    assert isinstance(decision, Admitted)
    assert (decision.hold_pico, decision.output_limit, decision.widened_pico) == (400, 10, 200)


# Figures of an account, and of what a wallet can pay

HERE, THERE = AccountPlace(1, "a"), AccountPlace(2, "b")


def test_intent_at_one_of_its_places_has_the_model_and_the_price_of_that_place() -> None:
    intent = ask(TEN_A_TOKEN, places=(IntentPlace(HERE, 5, 6), IntentPlace(THERE, 7, None)), price_id=6)
    there = intent.at(THERE)
    assert (there.provider_id, there.model_id, there.price_id) == (2, 7, None)
    assert there.places == (IntentPlace(THERE, 7, None),)
    assert intent.at(HERE) == replace(intent, provider_id=1, model_id=5, price_id=6, places=(IntentPlace(HERE, 5, 6),))


@pytest.mark.parametrize(
    ("wallet", "postpaid", "expected_pico"),
    [
        (WalletState(1000, 300, 50), False, 200 + 750),
        (WalletState(300, 300, 0), False, 200),
        (WalletState(100, 300, 0), False, 200),
        (WalletState(-5, 200, 0), True, MAX_PICO),
    ],
)
def test_payable_amount_is_the_hold_and_what_no_other_request_holds(
    wallet: WalletState, postpaid: bool, expected_pico: int
) -> None:
    assert payable_pico(wallet, 200, postpaid=postpaid) == expected_pico

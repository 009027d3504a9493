from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.books import NOW_US, make_intent

from softix_proxy.domain.admission import (
    NOTHING,
    Admitted,
    Allowance,
    Bound,
    Denied,
    Intent,
    KeyState,
    WalletState,
    close,
    decide,
)
from softix_proxy.domain.calendar import Calendar, Today
from softix_proxy.domain.clock import DAY_US, PERIODS, SECOND_US, SLACK_US, parse_instant
from softix_proxy.domain.errors import Code
from softix_proxy.domain.keys import Limits
from softix_proxy.domain.limits import MINUTE_US
from softix_proxy.domain.money import MAX_PICO

UTC = Calendar("UTC")


def day_of(now_us: int) -> Today:
    return UTC.at(now_us)


def decided(intent: Intent, wallet: WalletState, key: KeyState, now_us: int) -> Admitted | Denied:
    return decide(intent, wallet, key, now_us, day_of(now_us))


bounds = st.builds(
    Bound,
    fixed_pico=st.integers(0, 10**13),
    token_num=st.integers(0, 10**9),
    token_den=st.integers(1, 10**6),
    output_tokens=st.integers(0, 10**6),
    adjustable=st.booleans(),
    least_tokens=st.integers(1, 100),
)


# Bound


@given(bounds, st.integers(0, 10**15))
def test_what_is_affordable_costs_no_more_and_one_token_more_does(bound: Bound, funds_pico: int) -> None:
    tokens = bound.affordable_tokens(funds_pico)
    if tokens < 0:
        assert bound.hold_pico(0) > funds_pico
        return
    assert bound.hold_pico(tokens) <= funds_pico
    assert not bound.token_num or bound.hold_pico(tokens + 1) > funds_pico


@given(bounds, st.integers(0, 10**6))
def test_a_hold_is_never_below_the_exact_cost(bound: Bound, tokens: int) -> None:
    over = (bound.hold_pico(tokens) - bound.fixed_pico) * bound.token_den - tokens * bound.token_num
    assert 0 <= over < bound.token_den


# Decisions

limit_sets = st.builds(
    Limits,
    rpm=st.none() | st.integers(1, 100),
    tpm=st.none() | st.integers(1, 10_000),
    concurrency=st.none() | st.integers(1, 4),
    cap_pico=st.none() | st.integers(0, 10**14),
    cap_period=st.sampled_from(PERIODS),
)


@given(
    st.lists(st.tuples(bounds, limit_sets, st.integers(0, 10**20), st.booleans()), max_size=20),
    st.integers(-(10**13), 10**14),
    st.integers(0, 10**13),
)
def test_admitted_in_any_order_nothing_is_overspent(asked: list[Any], posted_pico: int, credit_pico: int) -> None:
    wallet, key = WalletState(posted_pico, 0, credit_pico), KeyState()
    for bound, limits, tokens, adjustable in asked:
        before = replace(wallet), replace(key)
        intent = make_intent(1, 1, bound=replace(bound, adjustable=adjustable), limits=limits, tokens_estimate=tokens)
        decision = decided(intent, wallet, key, NOW_US)
        if isinstance(decision, Denied):
            assert (wallet, key) == before
            continue
        assert wallet.held_pico == before[0].held_pico + decision.hold_pico
        assert decision.hold_pico == 0 or wallet.available_pico >= 0
        if limits.cap_pico is not None and decision.hold_pico:
            assert key.held_pico <= limits.cap_pico
        if limits.concurrency is not None:
            assert key.open_requests <= limits.concurrency
        if decision.output_limit is not None:
            assert adjustable and decision.hold_pico == bound.hold_pico(decision.output_limit)
        assert key.tpm_tat_us < 2**63


def ask(bound: Bound, limits: Limits | None = None, **changes: Any) -> Any:
    return make_intent(1, 1, bound=bound, limits=limits or Limits(), **changes)


TEN_A_TOKEN = Bound(fixed_pico=100, token_num=10, output_tokens=50, adjustable=True, least_tokens=5)


@pytest.mark.parametrize(
    ("posted_pico", "expected"),
    [
        (600, Admitted),
        (599, 49),
        (150, 5),
        (149, Denied),
        (0, Denied),
    ],
)
def test_where_the_money_ends_the_answer_is_shortened(posted_pico: int, expected: Any) -> None:
    decision = decided(ask(TEN_A_TOKEN), WalletState(posted_pico, 0, 0), KeyState(), NOW_US)
    if isinstance(expected, int):
        assert isinstance(decision, Admitted) and decision.output_limit == expected
    else:
        assert isinstance(decision, expected)


def test_a_limit_that_the_client_set_is_not_changed() -> None:
    fixed = replace(TEN_A_TOKEN, adjustable=False)
    decision = decided(ask(fixed), WalletState(599, 0, 0), KeyState(), NOW_US)
    assert isinstance(decision, Denied)
    assert (decision.code, decision.needed_pico, decision.available_pico, decision.affordable_tokens) == (
        Code.INSUFFICIENT_BALANCE,
        600,
        599,
        49,
    )


def test_credit_counts_and_what_is_held_does_not() -> None:
    assert isinstance(decided(ask(TEN_A_TOKEN), WalletState(0, 0, 600), KeyState(), NOW_US), Admitted)
    assert isinstance(decided(ask(TEN_A_TOKEN), WalletState(600, 500, 0), KeyState(), NOW_US), Denied)


def test_the_tighter_one_is_named() -> None:
    for cap_pico, code in ((10, Code.CAP_REACHED), (30, Code.INSUFFICIENT_BALANCE)):
        decision = decided(ask(TEN_A_TOKEN, Limits(cap_pico=cap_pico)), WalletState(20, 0, 0), KeyState(), NOW_US)
        assert isinstance(decision, Denied) and decision.code is code


def test_a_cap_counts_what_was_spent_in_its_period() -> None:
    spent = KeyState(spent_at_us=NOW_US, spent_day_pico=500, spent_total_pico=500)
    limits = Limits(cap_pico=1000, cap_period="day")
    today = decided(ask(TEN_A_TOKEN, limits), WalletState(10**6, 0, 0), replace(spent), NOW_US)
    assert isinstance(today, Admitted) and today.hold_pico == 500
    tomorrow = decided(ask(TEN_A_TOKEN, limits), WalletState(10**6, 0, 0), replace(spent), NOW_US + DAY_US)
    assert isinstance(tomorrow, Admitted) and tomorrow.hold_pico == 600


def test_who_pays_afterwards_needs_no_balance_but_64_bits() -> None:
    postpaid = ask(TEN_A_TOKEN, postpaid=True)
    assert isinstance(decided(postpaid, WalletState(-(10**15), 0, 0), KeyState(), NOW_US), Admitted)
    huge = ask(Bound(fixed_pico=2 * MAX_PICO), postpaid=True)
    assert isinstance(decided(huge, WalletState(0, 0, 0), KeyState(), NOW_US), Denied)
    full = WalletState(-MAX_PICO + 5, 0, 0)
    assert isinstance(decided(postpaid, full, KeyState(), NOW_US), Denied)


def test_what_costs_nothing_needs_no_money() -> None:
    decision = decided(ask(NOTHING), WalletState(-5, 0, 0), KeyState(), NOW_US)
    assert isinstance(decision, Admitted) and decision.hold_pico == 0


def test_pace() -> None:
    key, wallet = KeyState(), WalletState(10**9, 0, 0)
    limits = Limits(rpm=2, tpm=100, concurrency=9)
    for left in (1, 0):
        decision = decided(ask(NOTHING, limits, tokens_estimate=10), wallet, key, NOW_US)
        assert isinstance(decision, Admitted) and decision.allowance.requests_remaining == left
    late = decided(ask(NOTHING, limits, tokens_estimate=10), wallet, key, NOW_US)
    assert isinstance(late, Denied) and (late.code, late.retry_after_us) == (Code.RATE_LIMITED, 30_000_000)
    many = decided(ask(NOTHING, Limits(tpm=100), tokens_estimate=99), wallet, key, NOW_US)
    assert isinstance(many, Denied) and many.code is Code.TOKENS_LIMITED
    busy = decided(ask(NOTHING, Limits(concurrency=2)), wallet, key, NOW_US)
    assert isinstance(busy, Denied) and busy.code is Code.CONCURRENCY_LIMITED


def test_close() -> None:
    wallet, key = WalletState(1000, 300, 0), KeyState(open_requests=1, held_pico=300)
    close(wallet, key, 300, 120, NOW_US, day_of(NOW_US))
    assert (wallet.posted_pico, wallet.held_pico, wallet.available_pico) == (880, 0, 880)
    assert (key.held_pico, key.open_requests) == (0, 0)
    assert [key.spent_pico(period, day_of(NOW_US)) for period in PERIODS] == [120] * 4


@given(st.lists(st.tuples(st.integers(0, 40 * DAY_US), st.integers(0, 10**12)), max_size=20))
def test_spend_of_the_present_periods(charges: list[tuple[int, int]]) -> None:
    key, now_us, posted = KeyState(), NOW_US, list[tuple[int, int]]()
    for step_us, charge_pico in charges:
        now_us += step_us
        key.spend(charge_pico, now_us, day_of(now_us))
        posted.append((now_us, charge_pico))
    for period in PERIODS:
        start_us = day_of(now_us).start_us(period)
        assert key.spent_pico(period, day_of(now_us)) == sum(charge for at_us, charge in posted if at_us >= start_us)


def test_the_periods_of_a_cap_are_those_of_the_zone() -> None:
    kolkata = Calendar("Asia/Kolkata")
    key = KeyState()
    evening_us, night_us = parse_instant("2026-11-30T18:29:59Z"), parse_instant("2026-11-30T18:30:00Z")
    key.spend(5, evening_us, kolkata.at(evening_us))
    key.spend(7, night_us, kolkata.at(night_us))
    spent = [key.spent_pico(period, kolkata.at(night_us)) for period in PERIODS]
    assert spent == [7, 12, 7, 12], "it is Tuesday, 1 December, there"


@pytest.mark.parametrize(("zone", "hours"), [("Europe/Berlin", 25), ("UTC", 24)])
def test_a_cap_of_a_day_lasts_as_long_as_the_day(zone: str, hours: int) -> None:
    there, key = Calendar(zone), KeyState()
    begun_us = there.at(parse_instant("2026-10-25T12:00:00Z")).day_us
    key.spend(5, begun_us, there.at(begun_us))
    end_us = begun_us + hours * 3600 * SECOND_US
    assert key.spent_pico("day", there.at(end_us - 1)) == 5
    assert key.spent_pico("day", there.at(end_us)) == 0


def test_sums_that_a_clock_that_was_ahead_left_are_those_of_today_and_end_with_it() -> None:
    key = KeyState(spent_at_us=NOW_US + 365 * DAY_US, spent_day_pico=9, spent_month_pico=9)
    key.come_back(NOW_US)
    assert key.spent_pico("day", day_of(NOW_US)) == 9
    assert key.spent_pico("day", day_of(NOW_US + DAY_US)) == 0
    assert key.spent_pico("month", day_of(NOW_US + 31 * DAY_US)) == 0


def test_a_small_step_back_over_midnight_starts_no_day_twice() -> None:
    midnight_us = day_of(NOW_US).end_us
    key = KeyState()
    key.spend(5, midnight_us + SECOND_US, day_of(midnight_us + SECOND_US))
    key.come_back(midnight_us - SECOND_US)
    key.spend(7, midnight_us - SECOND_US, day_of(midnight_us - SECOND_US))
    assert key.spent_pico("day", day_of(midnight_us + 2)) == 12


def test_arrival_times_that_no_limit_can_have_made_lock_nobody_out() -> None:
    key, wallet = KeyState(rpm_tat_us=NOW_US + 365 * DAY_US, tpm_tat_us=NOW_US + 365 * DAY_US), WalletState(0, 0, 0)
    key.come_back(NOW_US)
    limits = Limits(rpm=1, tpm=10)
    assert isinstance(decided(ask(NOTHING, limits), wallet, key, NOW_US), Admitted)
    assert isinstance(decided(ask(NOTHING, limits), wallet, key, NOW_US), Denied), "the limit holds from here on"


# Figures of a bound


def test_hold_of_a_bound_is_rounded_up_once_and_then_multiplied() -> None:
    """100 + 4 × 10/3 = 113.33…"""
    once = Bound(fixed_pico=100, token_num=10, token_den=3)
    assert [once.hold_pico(tokens) for tokens in (0, 3, 4)] == [100, 110, 114]
    assert replace(once, times=3).hold_pico(4) == 342


def test_bound_without_figures_costs_nothing_once() -> None:
    assert (NOTHING.hold_pico(1000), NOTHING.affordable_tokens(0), NOTHING.least_tokens) == (0, 0, 1)
    assert NOTHING.adjustable is False


def test_hold_of_several_targets_is_that_of_the_dearest_with_its_own_output() -> None:
    short = Bound(fixed_pico=10, token_num=2, output_tokens=50)
    long = Bound(fixed_pico=60, token_num=1, output_tokens=100)
    either = Bound(output_tokens=100, targets=(short, long), times=2)
    assert either.hold_pico(100) == 2 * (60 + 100)
    assert either.hold_pico(70) == 2 * (60 + 70)
    assert either.hold_pico(50) == 2 * (10 + 2 * 50)
    assert either.hold_pico(10) == 2 * (60 + 10)


def test_affordable_tokens_are_rounded_down_of_what_one_time_may_cost() -> None:
    """1000 // 3 = 333; 233 × 3 // 10 = 69."""
    bound = Bound(fixed_pico=100, token_num=10, token_den=3, times=3)
    assert bound.affordable_tokens(1000) == 69
    assert [bound.affordable_tokens(funds_pico) for funds_pico in (299, 300, 309, 312)] == [-1, 0, 0, 1]


def test_affordable_tokens_are_limited_by_targets_that_cannot_give_all_of_theirs() -> None:
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


def test_key_state_of_a_new_key_is_all_zero() -> None:
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
def test_spend_after_a_pause_begins_the_sums_of_the_periods_that_ended(last: str, expected: tuple[int, ...]) -> None:
    key = spent_until(parse_instant(last))
    key.spend(7, WEDNESDAY_US, day_of(WEDNESDAY_US))
    assert sums(key) == expected and key.spent_at_us == WEDNESDAY_US


def test_spend_by_a_clock_that_went_back_keeps_the_later_instant() -> None:
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
def test_correction_of_a_charge_changes_the_sums_that_still_hold_it(posted: str, expected: tuple[int, ...]) -> None:
    key = spent_until(WEDNESDAY_US)
    key.correct(-3, parse_instant(posted), WEDNESDAY_US + 9, day_of(WEDNESDAY_US))
    assert sums(key) == expected and key.spent_at_us == WEDNESDAY_US + 9


def test_correction_after_a_pause_forgets_the_sums_of_the_periods_that_ended() -> None:
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
def test_key_state_further_ahead_than_it_can_be_comes_back_to_now(field: str, furthest_us: int) -> None:
    possible, wrong = KeyState(**{field: NOW_US + furthest_us}), KeyState(**{field: NOW_US + furthest_us + 1})
    for key in (possible, wrong):
        key.come_back(NOW_US)
    assert getattr(possible, field) == NOW_US + furthest_us
    assert getattr(wrong, field) == NOW_US


# Figures of a decision


def test_writable_of_a_wallet_is_what_its_64_bits_can_still_owe() -> None:
    assert WalletState(5, 0, 0).writable_pico == MAX_PICO
    assert WalletState(-5, 3, 100).writable_pico == MAX_PICO - 5 - 3


def test_admission_changes_the_states_by_what_it_admits() -> None:
    wallet, key = WalletState(10_000, 7, 0), KeyState(open_requests=2, held_pico=7)
    limits = Limits(rpm=60, tpm=600, concurrency=3)
    decision = decided(ask(TEN_A_TOKEN, limits, tokens_estimate=90), wallet, key, NOW_US)
    assert decision == Admitted(600, None, 90, Allowance(59, SECOND_US, 510, 9 * SECOND_US))
    assert (wallet.held_pico, wallet.posted_pico) == (607, 10_000)
    assert (key.held_pico, key.open_requests) == (607, 3)
    assert (key.rpm_tat_us, key.tpm_tat_us) == (NOW_US + SECOND_US, NOW_US + 9 * SECOND_US)


def test_admission_by_one_limit_tells_nothing_of_the_other() -> None:
    for limits, allowance in (
        (Limits(rpm=60), Allowance(59, SECOND_US, None, 0)),
        (Limits(tpm=600), Allowance(None, 0, 600, 0)),
        (Limits(), Allowance(None, 0, None, 0)),
    ):
        decision = decided(ask(NOTHING, limits), WalletState(0, 0, 0), KeyState(), NOW_US)
        assert isinstance(decision, Admitted) and decision.allowance == allowance


def test_estimate_above_the_limit_holds_the_whole_minute_and_no_more() -> None:
    decision = decided(ask(NOTHING, Limits(tpm=600), tokens_estimate=6000), WalletState(0, 0, 0), KeyState(), NOW_US)
    assert isinstance(decision, Admitted) and decision.tokens_held == 600
    assert decided(ask(NOTHING, tokens_estimate=5), WalletState(0, 0, 0), KeyState(), NOW_US).allowance == Allowance()


@pytest.mark.parametrize(
    ("limits", "key", "code", "retry_after_us"),
    [
        (Limits(concurrency=2, rpm=60), KeyState(open_requests=2), Code.CONCURRENCY_LIMITED, SECOND_US),
        (Limits(rpm=1), KeyState(rpm_tat_us=NOW_US + MINUTE_US), Code.RATE_LIMITED, MINUTE_US),
        (Limits(tpm=6, rpm=60), KeyState(tpm_tat_us=NOW_US + MINUTE_US), Code.TOKENS_LIMITED, MINUTE_US // 2),
    ],
)
def test_denial_by_a_limit_tells_when_and_what_is_left(
    limits: Limits, key: KeyState, code: Code, retry_after_us: int
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
def test_denial_for_want_of_money_tells_what_the_least_useful_answer_costs(
    balance_pico: int, cap_pico: int | None, expected: Denied
) -> None:
    """100 + 5 × 10, and what is there affords at the most."""
    wallet = WalletState(balance_pico, 0, 0)
    assert decided(ask(TEN_A_TOKEN, Limits(cap_pico=cap_pico)), wallet, KeyState(), NOW_US) == expected


def test_denial_for_want_of_money_tells_the_allowance_before_it() -> None:
    decision = decided(ask(TEN_A_TOKEN, Limits(rpm=60)), WalletState(0, 0, 0), KeyState(), NOW_US)
    assert isinstance(decision, Denied) and decision.allowance == Allowance(60, 0, None, 0)


def test_cap_counts_what_is_held_and_what_was_spent() -> None:
    limits = Limits(cap_pico=1000, cap_period="total")
    for held_pico, hold_pico in ((100, 600), (101, 590)):
        key = KeyState(spent_at_us=NOW_US, spent_total_pico=300, held_pico=held_pico)
        decision = decided(ask(TEN_A_TOKEN, limits), WalletState(10**6, 0, 0), key, NOW_US)
        assert isinstance(decision, Admitted) and decision.hold_pico == hold_pico


def test_request_that_costs_nothing_passes_a_cap_that_is_reached() -> None:
    key = KeyState(spent_at_us=NOW_US, spent_total_pico=300)
    decision = decided(ask(NOTHING, Limits(cap_pico=0, cap_period="total")), WalletState(0, 0, 0), key, NOW_US)
    assert isinstance(decision, Admitted) and (decision.hold_pico, decision.output_limit) == (0, None)


def test_close_of_a_parked_request_leaves_the_open_ones() -> None:
    wallet, key = WalletState(1000, 300, 0), KeyState(open_requests=1, held_pico=300)
    close(wallet, key, 100, 0, NOW_US, day_of(NOW_US), parked=True)
    assert (wallet.posted_pico, wallet.held_pico) == (1000, 200)
    assert (key.open_requests, key.held_pico, key.spent_at_us) == (1, 200, 0), "nothing was charged"

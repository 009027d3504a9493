from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.books import NOW_US, make_intent

from softix_proxy.domain.access.keys import KeyLimits
from softix_proxy.domain.core.calendar import Calendar, Today
from softix_proxy.domain.core.clock import DAY_US, PERIODS, SECOND_US, parse_instant
from softix_proxy.domain.core.errors import Code
from softix_proxy.domain.core.money import MAX_PICO
from softix_proxy.domain.metering.admission import (
    Admitted,
    Allowance,
    Denied,
    Intent,
    KeyState,
    RateCheck,
    WalletState,
    close,
    count,
    decide,
)
from softix_proxy.domain.metering.bounds import NOTHING, Bound

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
def test_affordable_tokens_cost_no_more_than_the_funds_and_one_token_more_does(bound: Bound, funds_pico: int) -> None:
    tokens = bound.affordable_tokens(funds_pico)
    if tokens < 0:
        assert bound.hold_pico(0) > funds_pico
        return
    assert bound.hold_pico(tokens) <= funds_pico
    assert not bound.token_num or bound.hold_pico(tokens + 1) > funds_pico


@given(bounds, st.integers(0, 10**6))
def test_hold_of_any_bound_is_the_exact_cost_rounded_up(bound: Bound, tokens: int) -> None:
    over = (bound.hold_pico(tokens) - bound.fixed_pico) * bound.token_den - tokens * bound.token_num
    assert 0 <= over < bound.token_den


# Decisions

limit_sets = st.builds(
    KeyLimits,
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
def test_admissions_in_any_order_never_overspend_wallet_or_limits(
    asked: list[Any], posted_pico: int, credit_pico: int
) -> None:
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


def ask(bound: Bound, limits: KeyLimits | None = None, **changes: Any) -> Any:
    return make_intent(1, 1, bound=bound, limits=limits or KeyLimits(), **changes)


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
def test_admission_with_too_little_money_limits_the_output_or_is_denied(posted_pico: int, expected: Any) -> None:
    decision = decided(ask(TEN_A_TOKEN), WalletState(posted_pico, 0, 0), KeyState(), NOW_US)
    if isinstance(expected, int):
        assert isinstance(decision, Admitted) and decision.output_limit == expected
    else:
        assert isinstance(decision, expected)


def test_admission_with_limit_set_by_the_client_is_denied_instead_of_shortened() -> None:
    fixed = replace(TEN_A_TOKEN, adjustable=False)
    decision = decided(ask(fixed), WalletState(599, 0, 0), KeyState(), NOW_US)
    assert isinstance(decision, Denied)
    assert (decision.code, decision.needed_pico, decision.available_pico, decision.affordable_tokens) == (
        Code.INSUFFICIENT_BALANCE,
        600,
        599,
        49,
    )


def test_admission_with_credit_is_granted_and_with_held_money_is_denied() -> None:
    assert isinstance(decided(ask(TEN_A_TOKEN), WalletState(0, 0, 600), KeyState(), NOW_US), Admitted)
    assert isinstance(decided(ask(TEN_A_TOKEN), WalletState(600, 500, 0), KeyState(), NOW_US), Denied)


def test_denial_with_cap_and_balance_names_the_tighter_one() -> None:
    for cap_pico, code in ((10, Code.CAP_REACHED), (30, Code.INSUFFICIENT_BALANCE)):
        decision = decided(ask(TEN_A_TOKEN, KeyLimits(cap_pico=cap_pico)), WalletState(20, 0, 0), KeyState(), NOW_US)
        assert isinstance(decision, Denied) and decision.code is code


def test_cap_of_a_day_counts_only_the_spend_of_that_day() -> None:
    spent = KeyState(spent_at_us=NOW_US, spent_day_pico=500, spent_total_pico=500)
    limits = KeyLimits(cap_pico=1000, cap_period="day")
    today = decided(ask(TEN_A_TOKEN, limits), WalletState(10**6, 0, 0), replace(spent), NOW_US)
    assert isinstance(today, Admitted) and today.hold_pico == 500
    tomorrow = decided(ask(TEN_A_TOKEN, limits), WalletState(10**6, 0, 0), replace(spent), NOW_US + DAY_US)
    assert isinstance(tomorrow, Admitted) and tomorrow.hold_pico == 600


def test_admission_of_postpaid_user_needs_no_balance_but_a_sum_within_64_bits() -> None:
    postpaid = ask(TEN_A_TOKEN, postpaid=True)
    assert isinstance(decided(postpaid, WalletState(-(10**15), 0, 0), KeyState(), NOW_US), Admitted)
    huge = ask(Bound(fixed_pico=2 * MAX_PICO), postpaid=True)
    assert isinstance(decided(huge, WalletState(0, 0, 0), KeyState(), NOW_US), Denied)
    full = WalletState(-MAX_PICO + 5, 0, 0)
    assert isinstance(decided(postpaid, full, KeyState(), NOW_US), Denied)


def test_admission_of_free_request_without_money_is_granted() -> None:
    decision = decided(ask(NOTHING), WalletState(-5, 0, 0), KeyState(), NOW_US)
    assert isinstance(decision, Admitted) and decision.hold_pico == 0


def test_admission_beyond_request_token_or_concurrency_limit_is_denied() -> None:
    key, wallet = KeyState(), WalletState(10**9, 0, 0)
    limits = KeyLimits(rpm=2, tpm=100, concurrency=9)
    for left in (1, 0):
        decision = decided(ask(NOTHING, limits, tokens_estimate=10), wallet, key, NOW_US)
        assert isinstance(decision, Admitted) and decision.allowance.requests_remaining == left
    late = decided(ask(NOTHING, limits, tokens_estimate=10), wallet, key, NOW_US)
    assert isinstance(late, Denied) and (late.code, late.retry_after_us) == (Code.RATE_LIMITED, 30_000_000)
    many = decided(ask(NOTHING, KeyLimits(tpm=100), tokens_estimate=99), wallet, key, NOW_US)
    assert isinstance(many, Denied) and many.code is Code.TOKENS_LIMITED
    busy = decided(ask(NOTHING, KeyLimits(concurrency=2)), wallet, key, NOW_US)
    assert isinstance(busy, Denied) and busy.code is Code.CONCURRENCY_LIMITED


def test_close_of_request_posts_the_charge_and_releases_the_hold() -> None:
    wallet, key = WalletState(1000, 300, 0), KeyState(open_requests=1, held_pico=300)
    close(wallet, key, 300, 120, NOW_US, day_of(NOW_US))
    assert (wallet.posted_pico, wallet.held_pico, wallet.available_pico) == (880, 0, 880)
    assert (key.held_pico, key.open_requests) == (0, 0)
    assert [key.spent_pico(period, day_of(NOW_US)) for period in PERIODS] == [120] * 4


@given(st.lists(st.tuples(st.integers(0, 40 * DAY_US), st.integers(0, 10**12)), max_size=20))
def test_spent_of_each_period_after_any_charges_is_the_sum_since_its_start(charges: list[tuple[int, int]]) -> None:
    key, now_us, posted = KeyState(), NOW_US, list[tuple[int, int]]()
    for step_us, charge_pico in charges:
        now_us += step_us
        key.spend(charge_pico, now_us, day_of(now_us))
        posted.append((now_us, charge_pico))
    for period in PERIODS:
        start_us = day_of(now_us).start_us(period)
        assert key.spent_pico(period, day_of(now_us)) == sum(charge for at_us, charge in posted if at_us >= start_us)


def test_spent_of_each_period_in_a_time_zone_begins_at_local_midnight() -> None:
    kolkata = Calendar("Asia/Kolkata")
    key = KeyState()
    evening_us, night_us = parse_instant("2026-11-30T18:29:59Z"), parse_instant("2026-11-30T18:30:00Z")
    key.spend(5, evening_us, kolkata.at(evening_us))
    key.spend(7, night_us, kolkata.at(night_us))
    spent = [key.spent_pico(period, kolkata.at(night_us)) for period in PERIODS]
    assert spent == [7, 12, 7, 12], "it is Tuesday, 1 December, there"


@pytest.mark.parametrize(("zone", "hours"), [("Europe/Berlin", 25), ("UTC", 24)])
def test_spent_of_a_day_with_25_hours_lasts_until_its_end(zone: str, hours: int) -> None:
    there, key = Calendar(zone), KeyState()
    begun_us = there.at(parse_instant("2026-10-25T12:00:00Z")).day_us
    key.spend(5, begun_us, there.at(begun_us))
    end_us = begun_us + hours * 3600 * SECOND_US
    assert key.spent_pico("day", there.at(end_us - 1)) == 5
    assert key.spent_pico("day", there.at(end_us)) == 0


def test_spent_after_clock_was_ahead_counts_as_today_and_ends_with_the_day() -> None:
    key = KeyState(spent_at_us=NOW_US + 365 * DAY_US, spent_day_pico=9, spent_month_pico=9)
    key.come_back(NOW_US)
    assert key.spent_pico("day", day_of(NOW_US)) == 9
    assert key.spent_pico("day", day_of(NOW_US + DAY_US)) == 0
    assert key.spent_pico("month", day_of(NOW_US + 31 * DAY_US)) == 0


def test_spent_after_small_clock_step_back_over_midnight_is_kept() -> None:
    midnight_us = day_of(NOW_US).end_us
    key = KeyState()
    key.spend(5, midnight_us + SECOND_US, day_of(midnight_us + SECOND_US))
    key.come_back(midnight_us - SECOND_US)
    key.spend(7, midnight_us - SECOND_US, day_of(midnight_us - SECOND_US))
    assert key.spent_pico("day", day_of(midnight_us + 2)) == 12


def test_key_state_with_impossible_arrival_times_admits_again_after_come_back() -> None:
    key, wallet = KeyState(rpm_tat_us=NOW_US + 365 * DAY_US, tpm_tat_us=NOW_US + 365 * DAY_US), WalletState(0, 0, 0)
    key.come_back(NOW_US)
    limits = KeyLimits(rpm=1, tpm=10)
    assert isinstance(decided(ask(NOTHING, limits), wallet, key, NOW_US), Admitted)
    assert isinstance(decided(ask(NOTHING, limits), wallet, key, NOW_US), Denied), "the limit holds from here on"


def test_count_of_a_read_uses_the_rate_and_nothing_else() -> None:
    key, check = KeyState(), RateCheck(1, 1, KeyLimits(rpm=2, tpm=1, concurrency=1))
    for left in (1, 0):
        allowance = count(check, key, NOW_US)
        assert isinstance(allowance, Allowance) and allowance.requests_remaining == left
    denied = count(check, key, NOW_US)
    assert isinstance(denied, Denied) and (denied.code, denied.retry_after_us) == (Code.RATE_LIMITED, 30 * SECOND_US)
    assert (key.open_requests, key.tpm_tat_us, key.held_pico) == (0, 0, 0)
    assert count(RateCheck(1, 1, KeyLimits()), KeyState(), NOW_US) == Allowance()


def test_output_that_may_come_counts_for_tokens_a_minute() -> None:
    intent = make_intent(1, 1, bound=NOTHING, limits=KeyLimits(tpm=1000), tokens_estimate=10, tokens_bound=700)
    key = KeyState()
    first = decided(intent, WalletState(0, 0, 0), key, NOW_US)
    assert isinstance(first, Admitted) and (first.tokens_held, first.allowance.tokens_remaining) == (700, 300)
    second = decided(intent, WalletState(0, 0, 0), key, NOW_US)
    assert isinstance(second, Denied) and second.code is Code.TOKENS_LIMITED

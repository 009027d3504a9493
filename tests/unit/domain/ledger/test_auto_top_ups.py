from __future__ import annotations

from dataclasses import replace

from softix_proxy.domain.ledger.auto_top_ups import FAILURES_UNTIL_PAUSED, AutoTopUp

HOUR_US = 3600 * 10**6
MADE = AutoTopUp(1, True, 500, 2500, 6000)


def test_automatic_top_up_waits_longer_after_each_failure_and_then_pauses() -> None:
    once = MADE.after_failure(10)
    twice = once.after_failure(20)
    assert (once.failures, once.next_at_us, once.is_active) == (1, 10 + HOUR_US, True)
    assert (twice.failures, twice.next_at_us, twice.is_active) == (2, 20 + 6 * HOUR_US, True)
    thrice = twice.after_failure(30)
    assert (thrice.failures, thrice.paused_at_us, thrice.is_active) == (FAILURES_UNTIL_PAUSED, 30, False)
    assert twice.after_success() == MADE


def test_money_that_went_back_pauses_what_is_active_and_keeps_an_earlier_pause() -> None:
    paused = MADE.after_money_back(40)
    assert (paused.paused_at_us, paused.is_active, paused.failed_too_often) == (40, False, False)
    assert paused.after_money_back(50) == paused
    off = AutoTopUp(1, False, 500, 2500, 6000)
    assert off.after_money_back(40) == off
    assert MADE.after_failure(1).after_failure(2).after_failure(3).failed_too_often


def test_restart_keeps_a_wait_and_forgets_failures_only_after_too_many() -> None:
    once = MADE.after_failure(10)
    again = replace(once, enabled=False).restarted(20)
    assert (again.enabled, again.failures, again.next_at_us) == (True, 1, 10 + HOUR_US)
    assert once.restarted(10 + HOUR_US).next_at_us == 0
    paused = once.after_failure(20).after_failure(30)
    assert paused.restarted(30 + 6 * HOUR_US) == MADE
    assert once.after_money_back(40).restarted(50) == once


def test_amount_within_the_cap_is_all_or_nothing() -> None:
    assert [MADE.amount_within_cap(charged) for charged in (0, 3500, 3501, 9999)] == [2500, 2500, 0, 0]


def test_automatic_top_up_that_is_switched_off_is_not_active() -> None:
    assert not AutoTopUp(1, False, 500, 2500, 6000).is_active

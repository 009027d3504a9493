from __future__ import annotations

from dataclasses import replace

import pytest

from softix_proxy.domain.access.keys import KeyLimits
from softix_proxy.domain.access.limits import MINUTE_US
from softix_proxy.domain.core.calendar import Calendar
from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.metering.admission import KeyState
from softix_proxy.domain.metering.live import (
    KeyUse,
    LimitKind,
    NearLimit,
    WalletUse,
    near_balance,
    near_limits_of_key,
)

NOW_US = 1_800_000_000_000_000
TODAY = Calendar("UTC").at(NOW_US)
USD = 10**12


def near(limits: KeyLimits, state: KeyState) -> list[NearLimit]:
    use = KeyUse("usr_ada", "ada", "key_ada", "sx_live_aaaa", "ci", limits, state)
    return near_limits_of_key(use, NOW_US, TODAY)


def used(part: float) -> int:
    """The arrival time of a rate of which this part is used."""
    return NOW_US + int(MINUTE_US * part)


@pytest.mark.parametrize(
    ("limits", "state", "found"),
    [
        (KeyLimits(rpm=60), KeyState(rpm_tat_us=used(0.8)), [(LimitKind.REQUESTS, 12, 80)]),
        (KeyLimits(rpm=60), KeyState(rpm_tat_us=used(0.78)), []),
        (KeyLimits(tpm=1000), KeyState(tpm_tat_us=used(5)), [(LimitKind.TOKENS, 0, 100)]),
        (KeyLimits(concurrency=4), KeyState(open_requests=4), [(LimitKind.CONCURRENCY, 0, 100)]),
        (KeyLimits(concurrency=4), KeyState(open_requests=3), []),
        (KeyLimits(), KeyState(open_requests=99, spent_total_pico=USD), []),
    ],
)
def test_limit_of_a_key_is_near_its_end_from_four_fifths_on(
    limits: KeyLimits, state: KeyState, found: list[tuple[LimitKind, int, int]]
) -> None:
    assert [(each.kind, each.left, each.percent) for each in near(limits, state)] == found


def test_cap_counts_what_was_spent_in_its_period_and_what_is_held() -> None:
    limits = KeyLimits(cap_pico=10 * USD, cap_period="day")
    spent = KeyState(spent_at_us=NOW_US, spent_day_pico=7 * USD, held_pico=2 * USD)
    [cap] = near(limits, spent)
    assert (cap.kind, cap.left, cap.limit, cap.percent, cap.period) == (LimitKind.CAP, USD, 10 * USD, 90, "day")
    assert near(limits, replace(spent, spent_at_us=NOW_US - DAY_US)) == []
    assert near(replace(limits, cap_period="total"), replace(spent, spent_total_pico=5 * USD)) == []


def test_limit_of_nothing_is_used_up() -> None:
    [cap] = near(KeyLimits(cap_pico=0), KeyState())
    assert (cap.left, cap.percent) == (0, 100)


def test_arrival_time_of_a_clock_that_was_ahead_counts_as_unused() -> None:
    assert near(KeyLimits(rpm=60), KeyState(rpm_tat_us=NOW_US + DAY_US)) == []


@pytest.mark.parametrize(
    ("available_pico", "left_pico", "percent"), [(5 * USD, 5 * USD, 0), (USD, USD, 80), (-USD, 0, 100)]
)
def test_low_balance_is_near_its_end(available_pico: int, left_pico: int, percent: int) -> None:
    use = WalletUse("usr_ada", "ada", 7, available_pico)
    found = near_balance(use, 5 * USD)
    assert found is not None
    assert (found.left, found.percent, found.active_at_us) == (left_pico, percent, 7)


def test_balance_above_the_low_amount_is_not_near_its_end() -> None:
    use = WalletUse("usr_ada", "ada", 7, 5 * USD + 1)
    assert near_balance(use, 5 * USD) is None
    assert near_balance(replace(use, available_pico=0), 0) is not None

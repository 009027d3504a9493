from hypothesis import given
from hypothesis import strategies as st

from softix_proxy.domain.access import limits
from softix_proxy.domain.access.limits import MINUTE_US

NOW_US = 1_800_000_000_000_000
rates = st.integers(1, 10**6)


@given(rates, st.integers(0, 100))
def test_arrival_of_whole_allowance_at_once_passes_and_the_next_one_waits(per_minute: int, ahead: int) -> None:
    tat_us, wait_us = limits.arrive(0, NOW_US, per_minute, per_minute)
    assert wait_us == 0 and limits.remaining(tat_us, NOW_US, per_minute) == 0
    _, wait_us = limits.arrive(tat_us, NOW_US, per_minute, 1 + ahead)
    assert wait_us > 0


@given(st.integers(1, 50), st.lists(st.integers(0, 10_000_000), min_size=1, max_size=60))
def test_arrivals_within_any_minute_are_at_most_twice_the_allowance(per_minute: int, steps_us: list[int]) -> None:
    """A full bucket and what flows in meanwhile."""
    tat_us, now_us, passed = 0, NOW_US, list[int]()
    for step_us in steps_us:
        now_us += step_us
        new_tat_us, wait_us = limits.arrive(tat_us, now_us, per_minute)
        if not wait_us:
            tat_us = new_tat_us
            passed.append(now_us)
    for start_us in passed:
        assert sum(start_us <= at_us < start_us + MINUTE_US for at_us in passed) <= 2 * per_minute


@given(rates, st.integers(0, 2 * MINUTE_US), st.integers(1, 10**7))
def test_arrival_after_the_returned_wait_passes(per_minute: int, ahead_us: int, cost: int) -> None:
    tat_us = NOW_US + ahead_us
    _, wait_us = limits.arrive(tat_us, NOW_US, per_minute, cost)
    if wait_us:
        assert limits.arrive(tat_us, NOW_US + wait_us - 1, per_minute, cost)[1] == 1
    assert limits.arrive(tat_us, NOW_US + wait_us, per_minute, cost)[1] == 0


@given(rates, st.integers(0, MINUTE_US))
def test_arrival_with_the_remaining_allowance_passes_at_once(per_minute: int, ahead_us: int) -> None:
    tat_us = NOW_US + ahead_us
    left = limits.remaining(tat_us, NOW_US, per_minute)
    assert 0 <= left <= per_minute
    if left:
        assert limits.arrive(tat_us, NOW_US, per_minute, left)[1] == 0


def test_arrival_above_the_allowance_passes_an_unused_limit_and_delays_the_next_one() -> None:
    tat_us, wait_us = limits.arrive(0, NOW_US, 10, 30)
    assert wait_us == 0 and tat_us == NOW_US + 3 * MINUTE_US
    assert limits.arrive(tat_us, NOW_US, 10)[1] == 3 * MINUTE_US - MINUTE_US + MINUTE_US // 10


@given(st.integers(10**5, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_adjust_forth_and_back_returns_to_the_same_instant(per_minute: int, used: int, held: int) -> None:
    there = limits.adjust(NOW_US, NOW_US, per_minute, used - held)
    assert abs(limits.adjust(there, NOW_US, per_minute, held - used) - NOW_US) <= 1


def test_adjust_with_huge_excess_use_delays_by_at_most_an_hour() -> None:
    assert limits.adjust(NOW_US, NOW_US, 1, 2**60) == NOW_US + 60 * MINUTE_US
    assert limits.adjust(NOW_US + 5, NOW_US, 1, 0) == NOW_US + 5


@given(st.integers(0, MINUTE_US), rates, st.integers(0, 10**9), st.integers(1, 10**6))
def test_credible_with_arrival_time_that_a_limit_made_keeps_it(
    ahead_us: int, per_minute: int, used: int, cost: int
) -> None:
    tat_us, wait_us = limits.arrive(NOW_US + ahead_us, NOW_US, per_minute, min(cost, per_minute))
    if not wait_us:
        later_us = limits.adjust(tat_us, NOW_US, per_minute, used)
        assert limits.credible(tat_us, NOW_US) == tat_us and limits.credible(later_us, NOW_US) == later_us


def test_credible_with_arrival_time_a_year_ahead_returns_now() -> None:
    assert limits.credible(NOW_US + 365 * 1440 * MINUTE_US, NOW_US) == NOW_US


def test_reset_of_limit_is_the_time_until_its_arrival_time_and_never_negative() -> None:
    assert limits.reset_us(NOW_US + 5, NOW_US) == 5 and limits.reset_us(NOW_US - 5, NOW_US) == 0


def test_arrival_at_seven_a_minute_counts_whole_microseconds() -> None:
    """60,000,000 µs / 7 = 8,571,428.57…"""
    assert MINUTE_US == 60_000_000
    tat_us, wait_us = limits.arrive(0, NOW_US, 7)
    assert (tat_us, wait_us) == (NOW_US + 8_571_428, 0)
    _, wait_us = limits.arrive(NOW_US + MINUTE_US, NOW_US, 7)
    later_us = limits.adjust(NOW_US, NOW_US, 7, -1)
    left = limits.remaining(NOW_US + 8_571_428, NOW_US, 7)
    assert (wait_us, later_us, left) == (8_571_428, NOW_US - 8_571_429, 6)
    assert all(type(number) is int for number in (tat_us, wait_us, later_us, left))


def test_arrival_time_is_credible_up_to_the_longest_debt_and_a_minute() -> None:
    furthest_us = NOW_US + 61 * MINUTE_US
    assert (limits.credible(furthest_us, NOW_US), limits.credible(furthest_us + 1, NOW_US)) == (furthest_us, NOW_US)


def test_remaining_of_overdrawn_half_used_and_unused_limit_is_within_the_allowance() -> None:
    assert limits.remaining(NOW_US + 2 * MINUTE_US, NOW_US, 600) == 0
    assert limits.remaining(NOW_US - 5 * MINUTE_US, NOW_US, 600) == 600
    assert limits.remaining(NOW_US + MINUTE_US // 2, NOW_US, 600) == 300
    assert limits.reset_us(NOW_US, NOW_US) == 0


@given(st.integers(1, 10**9), st.integers(1, 50))
def test_arrivals_of_a_burst_pass_at_once_and_the_next_one_waits_for_one_interval(interval_us: int, burst: int) -> None:
    tat_us = 0
    for _ in range(burst):
        tat_us, wait_us = limits.arrive_in_burst(tat_us, NOW_US, interval_us, burst)
        assert wait_us == 0
    assert limits.arrive_in_burst(tat_us, NOW_US, interval_us, burst)[1] == interval_us
    assert limits.arrive_in_burst(tat_us, NOW_US + interval_us, interval_us, burst)[1] == 0

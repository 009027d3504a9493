"""The rate limits as GCRA: one integer (the theoretical arrival time) per key and limit.

GCRA is the generic cell rate algorithm of ITU-T I.371. A limit of N a minute has the emission interval 60 s / N and
lets a burst of N through at once.
"""

from __future__ import annotations

MINUTE_US = 60_000_000
_LONGEST_DEBT_US = 60 * MINUTE_US
"""The longest wait for usage above the estimate. A response may use more than was set aside for it."""


def credible(tat_us: int, now_us: int) -> int:
    """Returns the arrival time if this limit can have made it, and otherwise `now_us`.

    Any other time came from a clock that was ahead, and means nothing. Then nothing counts as used: one burst too many
    is better than a key that waits for that time.
    """
    return tat_us if tat_us <= now_us + MINUTE_US + _LONGEST_DEBT_US else now_us


def arrive(tat_us: int, now_us: int, per_minute: int, cost: int = 1) -> tuple[int, int]:
    """Returns the arrival time after `cost` units, and how long to wait (µs) until they may pass. 0 means now.

    A cost above the whole minute's allowance is admitted when the bucket is full, so that it can pass at all.
    """
    interval_num = MINUTE_US
    base_us = max(tat_us, now_us)
    new_tat_us = base_us + cost * interval_num // per_minute
    allowed_cost = min(cost, per_minute)
    wait_us = base_us + allowed_cost * interval_num // per_minute - MINUTE_US - now_us
    return new_tat_us, max(wait_us, 0)


def adjust(tat_us: int, now_us: int, per_minute: int, delta: int) -> int:
    """Returns the arrival time after `delta` more units were used than assumed, or fewer if `delta` is negative."""
    return min(tat_us + delta * MINUTE_US // per_minute, now_us + _LONGEST_DEBT_US)


def remaining(tat_us: int, now_us: int, per_minute: int) -> int:
    """Returns how many units could pass at once now."""
    free_us = MINUTE_US - max(tat_us - now_us, 0)
    return max(free_us * per_minute // MINUTE_US, 0)


def reset_us(tat_us: int, now_us: int) -> int:
    """Returns how long it takes until the whole allowance is free again."""
    return max(tat_us - now_us, 0)


def arrive_in_burst(tat_us: int, now_us: int, interval_us: int, burst: int) -> tuple[int, int]:
    """Returns the arrival time after one unit of a limit whose burst is not its rate, and how long to wait (µs).

    `interval_us` is the emission interval, and `burst` the number of units that pass at once after a pause.
    """
    base_us = max(tat_us, now_us)
    return base_us + interval_us, max(base_us - (burst - 1) * interval_us - now_us, 0)

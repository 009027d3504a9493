"""The throttles: how often something may be tried, by account, by address or by what else is counted."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from softix_proxy.domain.access import limits
from softix_proxy.domain.core.clock import DAY_US, SECOND_US

_HOUR_US = 3600 * SECOND_US
LONGEST_WINDOW_US = 2 * DAY_US
"""No count reaches further ahead. One that does came from a clock that was wrong."""


class ThrottleRule(NamedTuple):
    """A rate as GCRA (`domain.access.limits`), for one name of things that are counted."""

    name: str
    per_hour: int
    burst: int

    @property
    def interval_us(self) -> int:
        return _HOUR_US // self.per_hour

    def arrive(self, tat_us: int, now_us: int) -> tuple[int, int]:
        """Returns the arrival time after one attempt, and how long to wait (µs) until it may be made. 0 means now."""
        if tat_us > now_us + self.burst * self.interval_us:
            tat_us = now_us  # a clock that was ahead made it, and waiting for that time would lock somebody out
        return limits.arrive_in_burst(tat_us, now_us, self.interval_us, self.burst)

    def give_back(self, tat_us: int, now_us: int) -> int:
        """Returns the arrival time without one attempt that was counted."""
        return max(tat_us - self.interval_us, now_us)


class ThrottleStore(Protocol):
    """Counts attempts. It slows down, and never locks anybody out."""

    async def arrive(self, rule: ThrottleRule, subject: str, now_us: int) -> int:
        """Counts one attempt of the subject. Returns how long to wait (µs) until it may be made, and 0 for now.

        An attempt that has to wait is not counted. `subject` is an id or a digest, and no address in plain text.
        """
        ...

    async def wait_us(self, rule: ThrottleRule, subject: str, now_us: int) -> int:
        """Returns what `arrive` would return, and counts nothing."""
        ...

    async def give_back(self, rule: ThrottleRule, subject: str, now_us: int) -> None:
        """Takes back one attempt that was counted, because it turned out to be none."""
        ...

    async def forget(self, rule: ThrottleRule, subject: str) -> None: ...

    async def purge(self, now_us: int, most: int) -> int:
        """Removes counts that mean nothing any more, at most so many. Returns their number."""
        ...

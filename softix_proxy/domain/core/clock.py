"""The only module that reads the clock.

Instants are integer microseconds since 1970 UTC. Durations come from the monotonic clock.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Literal, Protocol

from softix_proxy.domain.core.errors import BadInputError

CapPeriod = Literal["day", "week", "month", "total"]
PERIODS: tuple[CapPeriod, ...] = ("day", "week", "month", "total")
SECOND_US = 1_000_000
DAY_US = 86_400 * SECOND_US
EARLIEST_US = 1_735_689_600 * SECOND_US
"""This is 2025-01-01T00:00:00Z. A clock that reports an earlier time is wrong."""
SLACK_US = 3600 * SECOND_US
"""The clock catches up with an instant that is ahead by at most this. One further ahead came from a wrong clock."""
_STEP_US = 10 * SECOND_US
"""NTP sets a clock by less than this, once the clock has been right."""
_LONGEST_US = 365_000 * DAY_US
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS_US = {"s": SECOND_US, "m": 60 * SECOND_US, "h": 3600 * SECOND_US, "d": DAY_US, "w": 7 * DAY_US}


class Clock(Protocol):
    def now_us(self) -> int: ...

    def monotonic_ns(self) -> int: ...


class SystemClock:
    def now_us(self) -> int:
        return time.time_ns() // 1000

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()


class Steps:
    """Detects that the clock was set: its difference from the monotonic clock changed.

    Sleep of the machine is detected too, since the monotonic clock stands still meanwhile.
    """

    def __init__(self) -> None:
        self._seen: tuple[int, int] | None = None

    def look(self, now_us: int, monotonic_ns: int) -> int:
        """Returns by how many microseconds the clock was set since the last look, or 0 if it was not set or hardly."""
        before, self._seen = self._seen, (now_us, monotonic_ns)
        if before is None:
            return 0
        step_us = now_us - before[0] - (monotonic_ns - before[1]) // 1000
        return step_us if abs(step_us) >= _STEP_US else 0


def from_us(instant_us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=instant_us)


def to_us(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)


def format_instant(instant_us: int | None) -> str | None:
    """Returns ISO 8601 text in UTC with microseconds and a `Z`. None stays None."""
    return None if instant_us is None else from_us(instant_us).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_instant(text: str, zone: tzinfo = UTC) -> int:
    """Parses `2026-10-01` or `2026-10-01T12:00:00Z`. Any offset is allowed, and without one the time is in `zone`.

    Raises BadInputError if the text is not a date.
    """
    try:
        instant = datetime.fromisoformat(text.strip())
        return to_us((instant if instant.tzinfo else instant.replace(tzinfo=zone)).astimezone(UTC))
    except (ValueError, OverflowError):
        pass
    raise BadInputError(f"not a date: {text!r}", "write 2026-10-01 or 2026-10-01T12:00:00Z (UTC)")


def parse_zone(name: str) -> tzinfo:
    """Returns the time zone with this IANA name. Raises BadInputError if there is none."""
    from zoneinfo import ZoneInfo  # late, because a daemon needs no calendar except that of UTC

    try:
        return ZoneInfo(name)
    except (ValueError, KeyError, OSError):
        raise BadInputError(f"not a time zone: {name!r}", "write its IANA name, such as UTC or Europe/Berlin") from None


def parse_duration_us(text: str) -> int:
    """Parses `30d`, `24h`, `15m`, `90s` or `2w`. Raises BadInputError for anything else, and above a thousand years."""
    number, unit = text.strip()[:-1], text.strip()[-1:]
    if number.isascii() and number.isdigit() and len(number) <= 9 and unit in _UNITS_US:
        duration_us = int(number) * _UNITS_US[unit]
        if duration_us <= _LONGEST_US:
            return duration_us
    raise BadInputError(f"not a duration: {text!r}", "write a number and a unit: 90s, 15m, 24h, 30d or 2w")

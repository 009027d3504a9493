"""The days, weeks and months of a time zone, as integers: microseconds since 1970 UTC, and days by their number.

A day has 23, 24 or 25 hours, and begins where its zone says. Its number counts the days from 1970-01-01 to its date.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Literal, NamedTuple

from softix_proxy.domain.core.clock import DAY_US, SECOND_US, CapPeriod, from_us, parse_zone, to_us
from softix_proxy.domain.core.errors import BadInputError

_EPOCH = date(1970, 1, 1)
_FIRST_US = to_us(datetime(2, 1, 1, tzinfo=UTC))
_LAST_US = to_us(datetime(9998, 12, 31, tzinfo=UTC))
"""Instants outside of these two are counted as in UTC, because no zone's clock is known there."""
_ENDLESS_US = 2**63 - 1
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Today(NamedTuple):
    """The day that contains an instant, and the instants at which the day, its week and its month began."""

    day: int
    day_us: int
    end_us: int
    """The instant at which the next day begins."""
    week_us: int
    """The instant at which the week began, which is on a Monday."""
    month_us: int
    week_end_us: int
    month_end_us: int

    def start_us(self, period: CapPeriod) -> int:
        """Returns the instant at which the period began. `total` began at 0."""
        if period == "day":
            return self.day_us
        return self.month_us if period == "month" else self.week_us if period == "week" else 0

    def end_us_of(self, period: Literal["day", "week", "month"]) -> int:
        """Returns the instant at which the next period begins."""
        if period == "day":
            return self.end_us
        return self.month_end_us if period == "month" else self.week_end_us


class PeriodSpan(NamedTuple):
    """The half-open span of one period."""

    start_us: int
    end_us: int


class PeriodRule(NamedTuple):
    """The rule by which the periods of a limit follow each other.

    Each begins at the start of a local day. Without a zone and a day of its own, a limit has the periods of `Today`.
    """

    period: CapPeriod
    zone: str | None = None
    """The IANA name of its own zone. None means the zone that is billed in."""
    reset_day: int | None = None
    """The day of the month (1 to 31) or of the week (1 is Monday) on which a period begins. None means the first.

    In a month that is shorter, the period begins on its last day.
    """

    @property
    def is_usual(self) -> bool:
        return self.zone is None and self.reset_day is None

    def span(self, instant_us: int, by: Calendar) -> PeriodSpan:
        """Returns the period that contains an instant. `by` is the calendar of the zone that is billed in."""
        if self.period == "total":
            return PeriodSpan(0, _ENDLESS_US)
        at = by if self.zone is None else calendar(self.zone)
        if self.reset_day is None:
            today = at.at(instant_us)
            return PeriodSpan(today.start_us(self.period), today.end_us_of(self.period))
        return at.turn(instant_us, self.period, self.reset_day)


class OffsetSpan(NamedTuple):
    """A half-open span in which the offset of a zone's clock from UTC stays the same."""

    from_us: int
    to_us: int
    offset_us: int


class Calendar:
    """The calendar of one zone.

    It remembers the last day that it looked up, so that the next look-up costs a comparison.
    """

    def __init__(self, name: str) -> None:
        """Takes the zone's IANA name. Raises BadInputError if no zone has this name."""
        self.name = name
        self.zone: tzinfo = UTC if name == "UTC" else parse_zone(name)
        self._today = self._work_out(0)
        self._turns: dict[tuple[str, int], PeriodSpan] = {}

    def at(self, instant_us: int) -> Today:
        today = self._today
        if not today.day_us <= instant_us < today.end_us:
            today = self._today = self._work_out(instant_us)
        return today

    def turn(self, instant_us: int, period: CapPeriod, reset_day: int) -> PeriodSpan:
        """Returns the week or month that contains an instant and begins on that day. See `PeriodRule`."""
        found = self._turns.get((period, reset_day))
        if found is None or not found.start_us <= instant_us < found.end_us:
            first, end = _turn(self.day(instant_us), period, reset_day)
            found = self._turns[period, reset_day] = PeriodSpan(self.start_us(first), self.start_us(end))
        return found

    def _work_out(self, instant_us: int) -> Today:
        day = self.day(instant_us)
        on = date_of(day)
        return Today(
            day,
            self.start_us(day),
            self.start_us(day + 1),
            self.start_us(day - on.weekday()),
            self.start_us(day - on.day + 1),
            self.start_us(day - on.weekday() + 7),
            self.start_us(day - on.day + 1 + _days_of_month(on)),
        )

    def day(self, instant_us: int) -> int:
        """Returns the number of the day that contains an instant."""
        return (instant_us + self._offset_us(instant_us)) // DAY_US

    def date(self, instant_us: int) -> date:
        return date_of(self.day(instant_us))

    def start_us(self, day: int) -> int:
        """Returns the instant at which a day begins.

        This is midnight. If the clock is put forward at midnight, it is the instant of that change.
        """
        start_us = day * DAY_US
        if self.zone is UTC or not _FIRST_US < start_us < _LAST_US:
            return start_us
        return to_us(datetime.combine(date_of(day), time(), self.zone).astimezone(UTC))

    def months(self, from_us: int, to_us: int) -> Iterator[int]:
        """Yields the start of each month that overlaps the span. The end of the span is included."""
        begun_us = self.at(from_us).month_us
        while begun_us <= to_us:
            yield begun_us
            begun_us = self.at(self.start_us(self.day(begun_us) + 31)).month_us

    def pieces(self, from_us: int, to_us: int) -> Iterator[OffsetSpan]:
        """Cuts a span where the zone's clock changes.

        Within a piece, the number of a day is (instant + offset) // DAY_US.
        """
        begun_us = from_us
        while begun_us < to_us:
            offset_us = self._offset_us(begun_us)
            end_us = self._change_us(begun_us, to_us, offset_us)
            yield OffsetSpan(begun_us, end_us, offset_us)
            begun_us = end_us

    def _change_us(self, from_us: int, to_us: int, offset_us: int) -> int:
        """Returns the first instant after `from_us` that has another offset, or `to_us` if that is earlier.

        No zone changes twice in a week.
        """
        if self.zone is UTC or not from_us < _LAST_US:
            return to_us
        same_us, last_us = from_us, min(to_us, _LAST_US)
        while same_us < last_us:
            other_us = min(same_us + 7 * DAY_US, last_us)
            if self._offset_us(other_us) != offset_us:
                while other_us - same_us > 1:
                    middle_us = (same_us + other_us) // 2
                    if self._offset_us(middle_us) == offset_us:
                        same_us = middle_us
                    else:
                        other_us = middle_us
                return other_us
            same_us = other_us
        return to_us

    def _offset_us(self, instant_us: int) -> int:
        if self.zone is UTC or not _FIRST_US < instant_us < _LAST_US:
            return 0
        offset = from_us(instant_us - instant_us % SECOND_US).astimezone(self.zone).utcoffset()
        return (offset or timedelta()) // timedelta(microseconds=1)


@lru_cache(maxsize=64)
def calendar(name: str) -> Calendar:
    """Returns the calendar of this zone, which all callers share. Raises BadInputError if no zone has this name."""
    return Calendar(name)


def checked_zone(name: str) -> str:
    """Returns the name unchanged. Raises BadInputError if no zone has it."""
    if name != "UTC":
        parse_zone(name)
    return name


def date_of(day: int) -> date:
    return _EPOCH + timedelta(days=day)


def day_of(on: date) -> int:
    return (on - _EPOCH).days


def _turn(day: int, period: CapPeriod, reset_day: int) -> tuple[int, int]:
    """Returns the first day of the week or month that contains a day, and the day after its last."""
    on = date_of(day)
    if period == "week":
        first = day - (on.isoweekday() - reset_day) % 7
        return first, first + 7
    month = day - on.day + 1
    after = month + _days_of_month(on)
    begins = _reset_in(month, reset_day)
    if begins <= day:
        return begins, _reset_in(after, reset_day)
    return _reset_in(month - date_of(month - 1).day, reset_day), begins


def _reset_in(month: int, reset_day: int) -> int:
    """Returns the day on which a period begins in the month of this first day."""
    return month + min(reset_day, _days_of_month(date_of(month))) - 1


def checked_rule(rule: PeriodRule) -> PeriodRule:
    """Returns the rule unchanged. Raises BadInputError if it cannot be kept."""
    if rule.zone is not None:
        checked_zone(rule.zone)
    if rule.reset_day is not None:
        last = {"week": 7, "month": 31}.get(rule.period, 0)
        if not last:
            raise BadInputError(f"a period of a {rule.period} has no day on which it begins", "leave out the reset day")
        if not 1 <= rule.reset_day <= last:
            raise BadInputError(
                f"not a day on which a {rule.period} can begin: {rule.reset_day}",
                "write a day of the week, such as monday, or a day of the month from 1 to 31",
            )
    if rule.period == "total" and rule.zone is not None:
        raise BadInputError("a limit without periods has no time zone", "leave out the zone")
    return rule


def parse_reset_day(text: str) -> int:
    """Parses a day of the week or of the month. Raises BadInputError."""
    word = text.strip().lower()
    if word in WEEKDAYS:
        return WEEKDAYS.index(word) + 1
    if word.isascii() and word.isdigit() and len(word) <= 2 and 1 <= int(word) <= 31:
        return int(word)
    raise BadInputError(
        f"not a reset day: {text!r}", "write a day of the week, such as monday, or a number from 1 to 31"
    )


def format_reset_day(rule: PeriodRule) -> str | None:
    """Returns the reset day as `parse_reset_day` reads it. None stays None."""
    if rule.reset_day is None:
        return None
    return WEEKDAYS[rule.reset_day - 1] if rule.period == "week" else str(rule.reset_day)


def _days_of_month(on: date) -> int:
    if on.month == 12:  # the last December of the calendar has no month after it
        return 31
    return (date(on.year, on.month + 1, 1) - date(on.year, on.month, 1)).days


def whole_days(calendar: Calendar, from_us: int, to_us: int) -> tuple[int, int]:
    """Returns the number of the first day, and of the day after the last.

    Raises BadInputError if the span contains a part of a day.
    """
    first, end = calendar.at(from_us).day, calendar.at(to_us).day
    if calendar.start_us(first) != from_us or calendar.start_us(end) != to_us:
        raise BadInputError(
            f"a summary counts whole days ({calendar.name})", "give dates such as 2026-10-01, or: softix usage export"
        )
    return first, end

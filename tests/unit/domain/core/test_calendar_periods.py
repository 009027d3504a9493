"""Periods in a zone of their own that begin on a day of their own, compared with local dates of `zoneinfo`."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from softix_proxy.domain.core.calendar import (
    Calendar,
    PeriodRule,
    checked_rule,
    format_reset_day,
    parse_reset_day,
)
from softix_proxy.domain.core.clock import from_us, parse_instant
from softix_proxy.domain.core.errors import BadInputError

UTC = Calendar("UTC")
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Africa/Cairo", "Australia/Lord_Howe", "Asia/Kolkata")
FIRST_US, LAST_US = parse_instant("2020-01-01"), parse_instant("2040-01-01")
rules = some.one_of(
    some.builds(PeriodRule, some.just("month"), some.sampled_from(ZONES), some.integers(1, 31)),
    some.builds(PeriodRule, some.just("week"), some.sampled_from(ZONES), some.integers(1, 7)),
    some.builds(PeriodRule, some.sampled_from(("day", "week", "month")), some.sampled_from(ZONES), some.none()),
)
instants = some.integers(FIRST_US, LAST_US)


def local(instant_us: int, zone: str) -> date:
    return from_us(instant_us).astimezone(ZoneInfo(zone)).date()


def begins_on(rule: PeriodRule, on: date) -> bool:
    """Whether a period begins on this date, by the words of the rule and nothing else."""
    if rule.period == "day":
        return True
    if rule.period == "week":
        return on.isoweekday() == (rule.reset_day or 1)
    day, is_last = rule.reset_day or 1, (on + timedelta(days=1)).month != on.month
    return on.day == day or (is_last and on.day < day)


@settings(max_examples=400, deadline=None)
@given(rules, instants)
def test_period_contains_its_instant_and_begins_on_the_day_of_its_rule(rule: PeriodRule, instant_us: int) -> None:
    start_us, end_us = rule.span(instant_us, UTC)
    assert start_us <= instant_us < end_us
    zone = rule.zone or "UTC"
    first = local(start_us, zone)
    assert begins_on(rule, first) and local(start_us - 1, zone) == first - timedelta(days=1)
    on = first + timedelta(days=1)
    while on < local(end_us, zone):
        assert not begins_on(rule, on), "no other period begins within this one"
        on += timedelta(days=1)
    assert begins_on(rule, local(end_us, zone))


@settings(max_examples=200, deadline=None)
@given(rules, instants)
def test_periods_follow_each_other_without_a_gap(rule: PeriodRule, instant_us: int) -> None:
    found = rule.span(instant_us, UTC)
    assert rule.span(found.end_us, UTC).start_us == found.end_us
    assert rule.span(found.start_us - 1, UTC).end_us == found.start_us


@settings(max_examples=200, deadline=None)
@given(rules, some.lists(instants, min_size=2, max_size=6))
def test_period_of_an_instant_is_the_same_whatever_a_clock_showed_before(rule: PeriodRule, seen: list[int]) -> None:
    """A calendar remembers what it worked out last. A clock that jumps, forth or back, must not change any answer."""
    fresh = {at: Calendar(rule.zone or "UTC") for at in seen}
    remembered = [rule.span(at, UTC) for at in seen + seen[::-1]]
    plain = rule._replace(zone=None)
    assert remembered == [plain.span(at, fresh[at]) for at in seen + seen[::-1]]


@pytest.mark.parametrize(
    ("reset_day", "now", "start", "end"),
    [
        (15, "2026-12-14T22:59:59Z", "2026-11-14T23:00:00Z", "2026-12-14T23:00:00Z"),
        (15, "2026-12-14T23:00:00Z", "2026-12-14T23:00:00Z", "2027-01-14T23:00:00Z"),
        (31, "2027-02-27T23:00:00Z", "2027-02-27T23:00:00Z", "2027-03-30T22:00:00Z"),
        (31, "2028-02-28T22:59:59Z", "2028-01-30T23:00:00Z", "2028-02-28T23:00:00Z"),
        (29, "2026-03-28T22:59:59Z", "2026-02-27T23:00:00Z", "2026-03-28T23:00:00Z"),
        (1, "2026-10-25T01:00:00Z", "2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z"),
    ],
)
def test_month_in_berlin_begins_on_its_reset_day_or_on_the_last_day(
    reset_day: int, now: str, start: str, end: str
) -> None:
    rule = PeriodRule("month", "Europe/Berlin", reset_day)
    assert rule.span(parse_instant(now), UTC) == (parse_instant(start), parse_instant(end))


def test_week_begins_on_its_day_across_a_change_of_the_clock() -> None:
    """25 October 2026 is the Sunday on which Berlin's clock is put back."""
    sunday = PeriodRule("week", "Europe/Berlin", 7)
    assert sunday.span(parse_instant("2026-10-24T22:00:00Z"), UTC) == (
        parse_instant("2026-10-24T22:00:00Z"),
        parse_instant("2026-10-31T23:00:00Z"),
    )


def test_period_without_a_zone_is_of_the_zone_that_is_billed_in_and_a_total_never_ends() -> None:
    kolkata = Calendar("Asia/Kolkata")
    noon_us = parse_instant("2026-11-25T12:00:00Z")
    assert PeriodRule("day").span(noon_us, kolkata).start_us == kolkata.at(noon_us).day_us
    assert PeriodRule("month", None, 26).span(noon_us, kolkata).end_us == parse_instant("2026-11-25T18:30:00Z")
    assert PeriodRule("total").span(noon_us, kolkata) == (0, 2**63 - 1)
    assert PeriodRule("day").is_usual and not PeriodRule("day", "UTC").is_usual


@pytest.mark.parametrize(
    "rule",
    [
        PeriodRule("day", None, 1),
        PeriodRule("total", None, 1),
        PeriodRule("total", "UTC"),
        PeriodRule("week", None, 8),
        PeriodRule("month", None, 0),
        PeriodRule("month", None, 32),
        PeriodRule("month", "Berlin", 1),
    ],
)
def test_rule_that_cannot_be_kept_is_refused(rule: PeriodRule) -> None:
    with pytest.raises(BadInputError):
        checked_rule(rule)


@pytest.mark.parametrize(("text", "day"), [("monday", 1), ("Sunday", 7), ("15", 15), (" 31 ", 31)])
def test_reset_day_is_a_weekday_or_a_number(text: str, day: int) -> None:
    assert parse_reset_day(text) == day


@pytest.mark.parametrize("text", ["", "0", "32", "mon", "-1", "1.5", "²", "100"])
def test_reset_day_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadInputError, match="not a reset day"):
        parse_reset_day(text)


def test_reset_day_is_shown_as_it_is_written() -> None:
    rules = [PeriodRule("week", None, 3), PeriodRule("month", None, 3), PeriodRule("month")]
    assert [format_reset_day(checked_rule(rule)) for rule in rules] == ["wednesday", "3", None]

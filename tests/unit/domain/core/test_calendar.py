from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from softix_proxy.domain.core.calendar import Calendar, calendar, checked_zone, date_of, day_of, whole_days
from softix_proxy.domain.core.clock import DAY_US, PERIODS, SECOND_US, from_us, parse_instant
from softix_proxy.domain.core.errors import BadInputError

HOUR_US = 3600 * SECOND_US
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "Pacific/Kiritimati",
)


def at(text: str) -> int:
    return parse_instant(text)


def test_today_in_utc_begins_at_midnight_with_its_week_on_monday_and_its_month_on_the_first():
    today = Calendar("UTC").at(at("2026-11-18T10:00:00Z"))
    assert (today.day_us, today.end_us) == (at("2026-11-18T00:00:00Z"), at("2026-11-19T00:00:00Z"))
    assert today.week_us == at("2026-11-16T00:00:00Z")
    assert today.month_us == at("2026-11-01T00:00:00Z")
    assert date_of(today.day) == date(2026, 11, 18)


def test_today_in_a_time_zone_begins_at_its_local_midnight():
    today = Calendar("Asia/Kolkata").at(at("2026-11-30T18:30:00Z"))
    assert date_of(today.day) == date(2026, 12, 1)
    assert today.day_us == today.month_us == at("2026-11-30T18:30:00Z")
    assert today.week_us == at("2026-11-29T18:30:00Z"), "1 December 2026 is a Tuesday"


@pytest.mark.parametrize(
    ("zone", "on", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("Europe/Berlin", date(2026, 10, 26), 24),
        ("Pacific/Apia", date(2011, 12, 30), 0),
    ],
)
def test_day_with_clock_change_has_23_or_25_or_no_hours(zone, on, hours):
    home = Calendar(zone)
    assert home.start_us(day_of(on) + 1) - home.start_us(day_of(on)) == hours * HOUR_US


def test_day_without_midnight_begins_when_the_clock_is_put_forward():
    cairo = Calendar("Africa/Cairo")  # on Friday, 24 April 2026, 00:00 becomes 01:00
    start_us = cairo.start_us(day_of(date(2026, 4, 24)))
    local = from_us(start_us).astimezone(ZoneInfo("Africa/Cairo"))
    assert (local.date(), local.hour) == (date(2026, 4, 24), 1)
    assert cairo.day(start_us - 1) == day_of(date(2026, 4, 23))


@pytest.mark.parametrize("zone", ZONES)
def test_day_of_every_third_hour_of_three_years_is_its_local_date(zone):
    home, other = Calendar(zone), ZoneInfo(zone)
    instant_us = at("2010-12-31T00:10:00Z")
    for _ in range(3 * 366 * 8):
        instant_us += 3 * HOUR_US
        local = from_us(instant_us).astimezone(other)
        today = home.at(instant_us)
        assert date_of(today.day) == local.date() == date_of(home.day(instant_us))
        assert today.day_us <= instant_us < today.end_us
        assert from_us(today.month_us).astimezone(other).date() == local.date().replace(day=1)
        assert from_us(today.week_us).astimezone(other).date() == local.date() - timedelta(days=local.weekday())


@pytest.mark.parametrize("zone", ZONES)
def test_pieces_of_a_span_cover_it_without_a_gap_and_give_the_local_day_of_each_instant(zone):
    home = Calendar(zone)
    span = at("2025-12-31T22:10:00Z"), at("2027-01-02T01:00:00Z")
    pieces = list(home.pieces(*span))
    assert (pieces[0].from_us, pieces[-1].to_us) == span
    assert all(one.to_us == other.from_us for one, other in pairwise(pieces))
    for piece in pieces:
        for instant_us in (piece.from_us, piece.from_us + 1, (piece.from_us + piece.to_us) // 2, piece.to_us - 1):
            assert (instant_us + piece.offset_us) // DAY_US == home.day(instant_us)


def test_pieces_of_a_year_are_cut_at_the_instant_of_each_clock_change():
    [_, summer, _] = Calendar("Europe/Berlin").pieces(at("2026-01-01"), at("2027-01-01"))
    assert summer[:2] == (at("2026-03-29T01:00:00Z"), at("2026-10-25T01:00:00Z"))
    assert summer.offset_us == 2 * HOUR_US


def test_day_beyond_the_last_representable_date_is_counted_as_in_utc():
    home = Calendar("Europe/Berlin")
    assert home.day(2**63 - 1) == (2**63 - 1) // DAY_US
    assert [piece.to_us for piece in home.pieces(at("9998-12-01"), 2**63 - 1)][-1] == 2**63 - 1


def test_calendar_asked_for_the_same_day_again_returns_the_computed_one(monkeypatch):
    home = Calendar("Europe/Berlin")
    noon_us = at("2026-11-30T12:00:00Z")
    today = home.at(noon_us)
    monkeypatch.setattr(Calendar, "_work_out", lambda self, instant_us: pytest.fail("worked out again"))
    assert home.at(noon_us + 1) is today
    assert home.at(today.end_us - 1) is today


def test_calendar_of_a_zone_is_shared_and_unknown_zone_is_refused():
    assert calendar("Europe/Berlin") is calendar("Europe/Berlin")
    for name in ("Berlin", "", "../etc/passwd"):
        with pytest.raises(BadInputError, match="not a time zone"):
            checked_zone(name)
    assert checked_zone("Asia/Kolkata") == "Asia/Kolkata"


def test_whole_days_with_part_of_a_day_in_the_zone_is_refused():
    home = Calendar("Europe/Berlin")
    span = at("2026-10-24T22:00:00Z"), at("2026-10-25T23:00:00Z")
    first, end = whole_days(home, *span)
    assert (date_of(first), date_of(end)) == (date(2026, 10, 25), date(2026, 10, 26))
    for part in ((at("2026-10-25"), span[1]), (span[0], at("2026-10-25"))):
        with pytest.raises(BadInputError, match=r"whole days \(Europe/Berlin\)"):
            whole_days(home, *part)


def test_day_number_of_a_date_converts_back_to_the_date():
    assert day_of(date(1970, 1, 2)) == 1
    assert date_of(day_of(date(2028, 2, 29))) == date(2028, 2, 29)
    assert datetime.fromtimestamp(day_of(date(2028, 2, 29)) * 86_400, UTC).date() == date(2028, 2, 29)


def test_months_of_a_span_begin_at_local_midnight_and_include_the_month_of_the_end():
    home = Calendar("Europe/Berlin")
    months = list(home.months(at("2026-09-30T22:30:00Z"), at("2026-11-30T23:00:00Z")))
    assert months == [at("2026-09-30T22:00:00Z"), at("2026-10-31T23:00:00Z"), at("2026-11-30T23:00:00Z")]
    assert [f"{home.date(month_us):%Y-%m-%d}" for month_us in months] == ["2026-10-01", "2026-11-01", "2026-12-01"]


def test_start_of_each_period_is_the_local_start_of_day_week_month_and_zero() -> None:
    today = Calendar("Europe/Berlin").at(at("2026-11-18T10:00:00Z"))
    starts = [today.start_us(period) for period in PERIODS]
    assert starts == [at("2026-11-17T23:00:00Z"), at("2026-11-15T23:00:00Z"), at("2026-10-31T23:00:00Z"), 0]


def test_day_at_its_limits_contains_its_first_instant_but_not_its_end() -> None:
    home = Calendar("Europe/Berlin")
    today = home.at(at("2026-11-30T12:00:00Z"))
    assert home.at(today.day_us) is today
    assert home.at(today.end_us).day == today.day + 1
    assert home.at(today.day_us - 1).day == today.day - 1
    assert (home.name, Calendar("UTC").zone) == ("Europe/Berlin", UTC)


@pytest.mark.parametrize(
    ("zone", "on", "start"),
    [
        ("America/New_York", date(2, 1, 1), "0002-01-01T00:00:00Z"),
        ("America/New_York", date(2, 1, 2), "0002-01-02T04:56:02Z"),
        ("America/New_York", date(9998, 12, 30), "9998-12-30T05:00:00Z"),
        ("America/New_York", date(9998, 12, 31), "9998-12-31T00:00:00Z"),
    ],
)
def test_day_at_the_limits_of_representable_dates_begins_as_in_utc(zone: str, on: date, start: str) -> None:
    """Until 1883 New York was 4 h 56 min 2 s behind Greenwich."""
    assert Calendar(zone).start_us(day_of(on)) == at(start)


def test_instant_at_the_limits_of_representable_dates_is_in_the_day_of_utc() -> None:
    west, east = Calendar("America/New_York"), Calendar("Asia/Kolkata")
    first_us, last_us = at("0002-01-01T00:00:00Z"), at("9998-12-31T00:00:00Z")
    assert date_of(west.day(first_us)) == date(2, 1, 1)
    assert date_of(west.day(first_us + SECOND_US)) == date(1, 12, 31)
    assert date_of(west.day(last_us)) == date(9998, 12, 31)
    assert date_of(east.day(last_us - 1)) == date(9998, 12, 31)


def test_days_and_offsets_are_integers() -> None:
    home, noon_us = Calendar("Europe/Berlin"), at("2026-06-01T12:00:00Z")
    [piece] = home.pieces(noon_us, noon_us + 1)
    found = [home.day(noon_us), home.start_us(5), *home.at(noon_us), *piece, day_of(date(2026, 1, 1))]
    assert all(type(number) is int for number in found)
    assert home.date(noon_us) == date(2026, 6, 1)


def test_pieces_of_a_span_without_clock_change_are_one() -> None:
    year = at("2026-01-01"), at("2027-01-01")
    assert list(Calendar("UTC").pieces(*year)) == [(*year, 0)]
    berlin, change_us = Calendar("Europe/Berlin"), at("2026-03-29T01:00:00Z")
    assert list(berlin.pieces(change_us - 9, change_us)) == [(change_us - 9, change_us, HOUR_US)]
    assert list(berlin.pieces(change_us - 9, change_us + 1))[1] == (change_us, change_us + 1, 2 * HOUR_US)
    assert list(berlin.pieces(change_us, change_us)) == []


def test_months_of_a_span_within_one_month_are_that_month() -> None:
    assert list(Calendar("UTC").months(at("2026-02-10"), at("2026-02-11"))) == [at("2026-02-01")]
    assert list(Calendar("UTC").months(at("2026-01-31"), at("2026-03-01"))) == [
        at("2026-01-01"),
        at("2026-02-01"),
        at("2026-03-01"),
    ]


def test_calendar_of_a_zone_is_shared() -> None:
    assert calendar("Asia/Kolkata") is calendar("Asia/Kolkata")
    assert calendar("Asia/Kolkata").date(0).isoformat() == "1970-01-01"


@pytest.mark.parametrize(
    ("zone", "now", "ends"),
    [
        ("UTC", "2026-11-18T10:00:00Z", ("2026-11-19", "2026-11-23", "2026-12-01")),
        ("UTC", "2026-11-16T00:00:00Z", ("2026-11-17", "2026-11-23", "2026-12-01")),
        ("UTC", "2026-11-01T23:59:59Z", ("2026-11-02", "2026-11-02", "2026-12-01")),
        ("UTC", "2026-12-31T12:00:00Z", ("2027-01-01", "2027-01-04", "2027-01-01")),
        ("UTC", "2027-02-28T12:00:00Z", ("2027-03-01", "2027-03-01", "2027-03-01")),
        ("UTC", "2028-02-10T12:00:00Z", ("2028-02-11", "2028-02-14", "2028-03-01")),
        ("Europe/Berlin", "2026-10-24T22:00:00Z", ("2026-10-25T23:00:00Z",) * 2 + ("2026-10-31T23:00:00Z",)),
    ],
)
def test_end_of_each_period_is_the_local_start_of_the_next(zone: str, now: str, ends: tuple[str, ...]) -> None:
    """18 November 2026 is a Wednesday. 25 October is a Sunday, on which the clock is put back."""
    today = Calendar(zone).at(at(now))
    assert tuple(today.end_us_of(period) for period in ("day", "week", "month")) == tuple(map(at, ends))

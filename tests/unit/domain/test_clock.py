from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softix_proxy.domain.clock import (
    DAY_US,
    PERIODS,
    SystemClock,
    format_instant,
    from_us,
    parse_duration_us,
    parse_instant,
    period_start_us,
    to_us,
)
from softix_proxy.domain.errors import BadInputError

instants = st.integers(0, to_us(datetime(2200, 1, 1, tzinfo=UTC)))


@given(instants)
def test_text_and_back(now_us: int) -> None:
    text = format_instant(now_us)
    assert text is not None and parse_instant(text) == now_us and to_us(from_us(now_us)) == now_us


@given(instants)
def test_periods_hold_the_instant_and_begin_where_they_should(now_us: int) -> None:
    day, week, month, total = (period_start_us(period, now_us) for period in PERIODS)
    assert total == 0 <= day <= now_us < day + DAY_US
    assert from_us(day).time() == from_us(week).time() == from_us(month).time() == datetime.min.time()
    assert from_us(week).weekday() == 0 and day - week < 7 * DAY_US
    assert from_us(month).day == 1 and from_us(month).month == from_us(now_us).month
    assert all(
        period_start_us(period, period_start_us(period, now_us)) == period_start_us(period, now_us)
        for period in PERIODS
    )


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2026-10-01", "2026-10-01T00:00:00Z"),
        (" 2026-10-01T12:00:00 ", "2026-10-01T12:00:00Z"),
        ("2026-10-01T12:00:00+02:00", "2026-10-01T10:00:00Z"),
    ],
)
def test_utc_unless_said_otherwise(text: str, same: str) -> None:
    assert parse_instant(text) == parse_instant(same)


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01", "9999-12-31T23:59:59-10:00", "0001-01-01T00:00:00+10:00"])
def test_not_a_date(text: str) -> None:
    with pytest.raises(BadInputError):
        parse_instant(text)


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("90s", timedelta(seconds=90)),
        ("15m", timedelta(minutes=15)),
        ("24h", timedelta(days=1)),
        ("30d", timedelta(days=30)),
        ("2w", timedelta(weeks=2)),
        ("604800s", timedelta(weeks=1)),
        ("365000d", timedelta(days=365_000)),
    ],
)
def test_durations(text: str, duration: timedelta) -> None:
    assert timedelta(microseconds=parse_duration_us(text)) == duration


@pytest.mark.parametrize("text", ["", "5", "d", "-5d", "1.5h", "5y", "999999w", "365001d", "9999999999s", "٣d"])
def test_not_a_duration(text: str) -> None:
    with pytest.raises(BadInputError):
        parse_duration_us(text)


def test_none_stays_none() -> None:
    assert format_instant(None) is None


def test_the_real_one() -> None:
    clock = SystemClock()
    before_us = to_us(datetime.now(UTC))
    assert before_us <= clock.now_us() <= to_us(datetime.now(UTC)) + 1000
    assert clock.monotonic_ns() <= clock.monotonic_ns()

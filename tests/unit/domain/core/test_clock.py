from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softix_proxy.domain.core.clock import (
    DAY_US,
    SECOND_US,
    Steps,
    SystemClock,
    format_instant,
    from_us,
    parse_duration_us,
    parse_instant,
    to_us,
)
from softix_proxy.domain.core.errors import BadInputError

instants = st.integers(0, to_us(datetime(2200, 1, 1, tzinfo=UTC)))


@given(instants)
def test_instant_formatted_and_parsed_returns_the_same_instant(now_us: int) -> None:
    text = format_instant(now_us)
    assert text is not None and parse_instant(text) == now_us and to_us(from_us(now_us)) == now_us


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2026-10-01", "2026-10-01T00:00:00Z"),
        (" 2026-10-01T12:00:00 ", "2026-10-01T12:00:00Z"),
        ("2026-10-01T12:00:00+02:00", "2026-10-01T10:00:00Z"),
    ],
)
def test_instant_without_offset_is_parsed_as_utc(text: str, same: str) -> None:
    assert parse_instant(text) == parse_instant(same)


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01", "9999-12-31T23:59:59-10:00", "0001-01-01T00:00:00+10:00"])
def test_instant_with_bad_text_is_refused(text: str) -> None:
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
def test_duration_with_known_unit_is_parsed(text: str, duration: timedelta) -> None:
    assert timedelta(microseconds=parse_duration_us(text)) == duration


@pytest.mark.parametrize("text", ["", "5", "d", "-5d", "1.5h", "5y", "999999w", "365001d", "9999999999s", "٣d"])
def test_duration_with_bad_text_is_refused(text: str) -> None:
    with pytest.raises(BadInputError):
        parse_duration_us(text)


def test_format_instant_with_none_returns_none() -> None:
    assert format_instant(None) is None


def test_system_clock_returns_the_present_time_and_never_goes_back() -> None:
    clock = SystemClock()
    before_us = to_us(datetime.now(UTC))
    assert before_us <= clock.now_us() <= to_us(datetime.now(UTC)) + 1000
    assert clock.monotonic_ns() <= clock.monotonic_ns()


def test_clock_step_of_a_year_is_reported_once() -> None:
    steps, year_us = Steps(), 365 * DAY_US
    assert steps.look(0, 0) == 0, "there is nothing to compare the first look with"
    assert steps.look(3600 * SECOND_US, 3600 * 10**9) == 0
    assert steps.look(3601 * SECOND_US + year_us, 3601 * 10**9) == year_us
    assert steps.look(3602 * SECOND_US + year_us, 3602 * 10**9) == 0
    assert steps.look(3603 * SECOND_US, 3603 * 10**9) == -year_us


def test_clock_step_of_a_few_seconds_is_not_reported() -> None:
    steps = Steps()
    steps.look(0, 0)
    assert steps.look(SECOND_US + 9 * SECOND_US, 10**9) == 0
    assert steps.look(2 * SECOND_US, 2 * 10**9) == 0

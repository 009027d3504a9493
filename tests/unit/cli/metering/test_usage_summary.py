import pytest
from hypothesis import given
from hypothesis import strategies as st

from softix_proxy.cli.metering.usage_summary import bar, picture, share, sparkline
from softix_proxy.domain.core.clock import DAY_US, parse_instant
from softix_proxy.domain.core.money import PICO_PER_USD
from softix_proxy.domain.metering.usage import UsageTotal
from softix_proxy.operations.metering.usage import UsageSummary

FIRST = parse_instant("2026-10-01") // DAY_US


def total(name: str, charge_pico: int, requests: int = 10) -> UsageTotal:
    return UsageTotal(name, name, requests, 1, 1500, 2_500_000, charge_pico // 2, charge_pico)


def test_sparkline_with_rising_values_rises() -> None:
    assert sparkline([0, 1, 50, 100]) == "·▁▄█"
    assert sparkline([7, 7]) == "██"
    assert sparkline([0, 0]) == "··"
    assert sparkline([]) == ""


@given(st.integers(0, 10**15), st.integers(1, 10**15))
def test_bar_with_any_value_has_the_full_width(value: int, more: int) -> None:
    assert len(bar(value, value + more)) == 16
    assert bar(more, more) == "█" * 16


def test_share_of_a_total_is_a_padded_percentage() -> None:
    assert share(1, 3) == "  33 %"
    assert share(1, 1000) == "  <1 %"
    assert share(0, 3) == "   0 %"
    assert share(0, 0) == "   0 %"


def test_picture_with_many_users_shows_the_most_expensive_ones_and_the_days(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "130")
    users = [total(f"user-{number}", (30 - number) * PICO_PER_USD) for number in range(25)]
    days = [total("2026-10-01", 5 * PICO_PER_USD), total("2026-10-03", 445 * PICO_PER_USD)]
    picture(UsageSummary("user", "UTC", FIRST, FIRST + 3, users, days))
    shown = capsys.readouterr().out
    assert "Usage by user   2026-10-01 to 2026-10-03, UTC" in shown
    assert "▁·█   most on 2026-10-03  $445.00" in shown
    assert "user-0 " in shown and "user-19" in shown and "user-20" not in shown
    assert "5 others" in shown
    assert "$450.00" in shown


def test_picture_with_only_free_usage_shows_counts_of_requests(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "130")
    days = [total("2026-10-01", 0, 1), total("2026-10-02", 0, 4)]
    picture(UsageSummary("day", "UTC", FIRST, FIRST + 2, days, days))
    assert "▂█   most on 2026-10-02  4 requests" in capsys.readouterr().out


def test_picture_without_usage_reports_that_nothing_was_used(capsys: pytest.CaptureFixture[str]) -> None:
    picture(UsageSummary("user", "UTC", FIRST, FIRST + 1, [], []))
    assert "Nothing was used." in capsys.readouterr().out


def test_picture_on_a_wide_terminal_shows_a_trend_for_each_row(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = FIRST
    days = [total("2026-10-01", 4 * PICO_PER_USD), total("2026-10-03", 8 * PICO_PER_USD)]
    trends = {"ada": {first: days[0], first + 2: days[1]}}
    summary = UsageSummary("user", "UTC", FIRST, FIRST + 3, [total("ada", 12 * PICO_PER_USD)], days, trends)
    for columns, shown in (("80", 1), ("170", 2)):
        monkeypatch.setenv("COLUMNS", columns)
        picture(summary)
        assert capsys.readouterr().out.count("▄·█") == shown

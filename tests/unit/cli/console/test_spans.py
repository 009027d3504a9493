from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from support.books import make_intent, make_settlement, post

from softix_proxy.domain.core.clock import SystemClock, format_instant, parse_instant
from softix_proxy.storage.sqlite.core.database import Database

Softix = Callable[..., Result]
Read = Callable[[str], Any]
NIGHT_US = parse_instant("2026-10-31T23:30:00Z")
"""It is November in Berlin, and still October in UTC."""


@pytest.fixture
def night(database: Database) -> Database:
    connection = database.connect()
    row = make_settlement(make_intent(7, 0), charge_pico=9 * 10**12)
    connection.execute("DROP TRIGGER transfers_no_delete")
    connection.execute("DELETE FROM transfers")
    connection.execute("DROP TRIGGER usage_no_delete")
    connection.execute("DELETE FROM usage")
    connection.execute("DELETE FROM usage_daily")
    connection.execute("DELETE FROM key_states")
    connection.execute("UPDATE wallets SET posted_pico = 20000000000000")
    post(connection, [row], NIGHT_US)
    connection.close()
    return database


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOFTIX_BILLING_ZONE", "Europe/Berlin")


OCTOBER, NOVEMBER = "--from 2026-10-01 --to 2026-11-01", "--from 2026-11-01 --to 2026-12-01"


def test_usage_summary_without_zone_counts_days_in_the_zone_of_the_settings(
    night: Database, berlin: None, run: Softix, read: Read
) -> None:
    told = read(f"usage summary --by day {NOVEMBER}")
    assert (told["from"], told["to"], told["zone"]) == ("2026-11-01", "2026-12-01", "Europe/Berlin")
    assert [(row["id"], row["charge"]) for row in told["rows"]] == [("2026-11-01", "9.00")]
    assert read(f"usage summary --by day {OCTOBER}")["rows"] == []


def test_usage_summary_with_zone_counts_days_in_that_zone(night: Database, berlin: None, read: Read) -> None:
    told = read(f"usage summary --by day {OCTOBER} --zone UTC")
    assert [row["id"] for row in told["rows"]] == ["2026-10-31"] and told["zone"] == "UTC"
    told = read("usage summary --by day --from 2026-11-01 --to 2026-11-02 --zone Asia/Kolkata")
    assert [row["id"] for row in told["rows"]] == ["2026-11-01"]


def test_usage_commands_with_dates_begin_days_in_the_zone_of_the_settings(
    night: Database, berlin: None, read: Read
) -> None:
    assert len(read(f"usage list {NOVEMBER}")) == 1
    assert read(f"usage list {OCTOBER}") == []
    assert len(read(f"usage list {OCTOBER} --zone UTC")) == 1
    assert read(f"usage attempts {NOVEMBER}") == []
    repriced = read(f"usage reprice --model llama {NOVEMBER} --note n --dry-run")
    assert [row["before"] for row in repriced["corrections"]] == ["9.00"]
    assert read(f"usage reprice --model llama {OCTOBER} --note n --dry-run")["corrections"] == []


def test_price_start_given_as_a_date_is_midnight_in_the_zone_of_the_settings(
    database: Database, berlin: None, run: Softix, read: Read
) -> None:
    told = read("prices set lab/llama --input 3 --output 9 --from 2030-07-01")
    assert told["starts_at"] == "2030-06-30T22:00:00.000000Z"
    told = read("prices markup --default 5% --from 2030-07-01")
    assert told["starts_at"] == "2030-06-30T22:00:00.000000Z"


def test_usage_summary_page_names_its_zone(night: Database, berlin: None, run: Softix, tmp_path: Any) -> None:
    run(f"usage summary {NOVEMBER} --html {tmp_path}/page.html")
    text = (tmp_path / "page.html").read_text()
    assert "1 November 2026 to 30 November 2026, whole days in Europe/Berlin" in text and "$9.00" in text


def test_usage_summary_with_invalid_zone_is_refused(
    database: Database, run: Softix, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "not a time zone: 'Berlin'" in run("usage summary --zone Berlin", code=2).stderr
    monkeypatch.setenv("SOFTIX_BILLING_ZONE", "Berlin")
    assert "must be an IANA name" in run("usage summary", code=2).stderr


def test_instant_with_an_offset_ignores_the_zone_of_the_settings(night: Database, berlin: None, read: Read) -> None:
    assert len(read("usage list --from 2026-10-31T23:30:00Z --to 2026-10-31T23:30:01Z")) == 1
    assert format_instant(NIGHT_US) == "2026-10-31T23:30:00.000000Z" and SystemClock().now_us() > 0

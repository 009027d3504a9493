import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from support.books import make_intent, make_settlement, post

from softix_proxy.domain.core.clock import DAY_US, SystemClock, format_instant, parse_instant
from softix_proxy.storage.sqlite.core.database import Database

Softix = Callable[..., Result]
Read = Callable[[str], Any]
NOW_US = parse_instant("2026-11-25T12:00:00Z")
YESTERDAY, TODAY = (str(format_instant(NOW_US - days * DAY_US))[:10] for days in (1, 0))


@pytest.fixture
def posted(instance: Path, run: Softix) -> None:
    """A request of ada yesterday, and a top-up now."""
    run("users create ada --email ada@example.org")
    run("keys create --user ada")
    run("users update ada --postpaid")
    connection = Database(instance / "softix.db", SystemClock()).connect()
    post(connection, [make_settlement(make_intent(1, 0, postpaid=True), charge_pico=2_800_000_000)], NOW_US - DAY_US)
    connection.close()
    run("balance add ada@example.org 5.00 --note test")


def test_period_close_returns_the_sums_that_list_and_show_return(posted: None, run: Softix, read: Read) -> None:
    closed = read(f"period close {YESTERDAY}")
    assert (closed["period"], closed["rows"], closed["charge"], closed["paid_in"]) == (YESTERDAY, 1, "0.0028", "0.00")
    assert closed["to"] == f"{TODAY}T00:00:00.000000Z" and closed["gaps"] == [] and len(closed["rows_sha256"]) == 64
    [listed] = read("period list")
    assert {**listed, "gaps": []} == closed
    shown = read(f"period show {YESTERDAY}")
    assert [(one["user_name"], one["charge"], one["currency"]) for one in shown["sums"]] == [("ada", "0.0028", "USD")]
    assert "ada\t1\t0.0028" in run(f"period show {YESTERDAY}").stdout
    assert read("ledger verify")["periods"] == 1


def test_period_close_with_zone_and_gap_reports_both(posted: None, run: Softix, read: Read) -> None:
    from_, to = (str(format_instant(NOW_US - 2 * 3_600_000_000 + more)) for more in (0, 1))
    told = run(f"period close --from {from_} --to {to} --zone Europe/Berlin")
    assert "In no closed period: " in told.stderr and "Europe/Berlin" in told.stdout
    assert read("period list")[0]["period"] == f"{from_}--{to}"
    assert "In no closed period: " in run("period list").stderr


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        ("period close 2999-01", 1, "2999-01 is not over: it ends at 2999-02-01T00:00:00.000000Z"),
        ("period close 1999-01", 1, "nothing was posted before the end of 1999-01"),
        ("period close soon", 2, "not a period: 'soon'"),
        ("period close", 2, "which period?"),
        ("period close 2026-01 --zone Nowhere", 2, "not a time zone: 'Nowhere'"),
        ("period show 2026-01", 1, "no closed period '2026-01'"),
    ],
)
def test_period_command_with_bad_input_prints_the_reason_and_closes_nothing(
    posted: None, run: Softix, line: str, code: int, message: str
) -> None:
    assert message in run(line, code=code).stderr
    told = run(f"--json {line}", code=code)
    assert message in json.loads(told.stderr)["error"] and told.stdout == ""
    assert run("period list --json").stdout == "[]\n"


def test_period_close_without_zone_uses_the_zone_of_the_settings(posted: None, instance: Path, run: Softix) -> None:
    (instance / "config.toml").write_text('[billing]\nzone = "Nowhere"\n')
    line = f"period close --from 2026-01-01T00:00Z --to {TODAY}T00:00Z"
    assert "[billing] zone must be an IANA name of a time zone" in run(line, code=2).stderr
    (instance / "config.toml").write_text('[billing]\nzone = "Pacific/Kiritimati"\n')
    assert "Pacific/Kiritimati" in run(line).stdout

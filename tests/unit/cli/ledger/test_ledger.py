from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from softix_proxy.domain.core.clock import DAY_US, SystemClock
from softix_proxy.storage.sqlite.core import engine

Softix = Callable[..., Result]
Read = Callable[[str], Any]


def test_ledger_verify_with_correct_books_returns_no_findings(run: Softix, read: Read) -> None:
    run("users create ada --email ada@example.org")
    run("balance add ada@example.org 25")
    counts = {"transfers": 1, "usage_rows": 0, "open_holds": 0, "periods": 0}
    assert read("ledger verify") == {"ok": True, **counts, "findings": []}
    assert "The books are right." in run("ledger verify").stderr
    assert read("ledger accounts") == [
        {"account": "cash", "balance": "-25.00"},
        {"account": "revenue", "balance": "0.00"},
        {"account": "adjustments", "balance": "0.00"},
        {"account": "wallets", "balance": "25.00"},
    ]


def test_ledger_verify_with_wrong_books_exits_with_code_1_and_a_remedy(run: Softix, instance: Path) -> None:
    run("users create ada --email ada@example.org")
    connection = engine.connect(instance / "softix.db")
    connection.execute("UPDATE wallets SET posted_pico = 1")
    connection.close()
    told = run("ledger verify", code=1)
    assert "cached 1, entries 0 pico-USD" in told.stdout and "restore the last backup" in told.stderr
    result = run("ledger verify --json", code=1)
    assert '"ok": false' in result.stdout and "restore the last backup" in result.stdout


def ahead(monkeypatch: pytest.MonkeyPatch, days: int) -> None:
    """Every clock of this process is so many days ahead."""
    real = SystemClock.now_us
    monkeypatch.setattr(SystemClock, "now_us", lambda self: real(self) + days * DAY_US)


def test_ledger_redate_after_a_clock_that_was_ahead_posts_the_rows_again(
    run: Softix, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("users create ada --email ada@example.org")
    run("balance add ada@example.org 25")
    with monkeypatch.context() as patched:
        ahead(patched, 365)
        run("balance add ada@example.org 5 --reference bank-7")
    told = run("doctor --offline --json", code=1).stdout
    assert "softix ledger redate --dry-run" in told
    [row] = read("ledger redate --dry-run --ahead 365d")["rows"]
    assert (row["kind"], row["user_name"], row["amount"], row["reference"]) == ("top-up", "ada", "5.00", "bank-7")
    told = run("ledger redate --ahead 365d --yes")
    assert "Booked: 1." in told.stderr and told.stdout.splitlines()[0].split("\t")[0] == "kind"
    assert read("ledger redate --yes") == {"posted": True, "rows": [], "booked": 0, "in_closed_periods": 0}
    assert "Would be booked: 0." in run("ledger redate --dry-run").stderr
    assert read("ledger verify")["ok"] and read("balance show ada")["balance"] == "30.00"
    assert "softix ledger redate" not in run("doctor --offline --json").stdout


def test_ledger_redate_without_yes_or_with_bad_duration_is_refused(run: Softix) -> None:
    assert "Add --yes" in run("ledger redate", code=2).stderr
    assert "not a duration" in run("ledger redate --ahead year --yes", code=2).stderr
    assert "--note is empty" in run("ledger redate --yes --note ''", code=2).stderr

from collections.abc import Callable
from pathlib import Path
from typing import Any

from click.testing import Result

from softix_proxy.storage import engine_sqlite

Softix = Callable[..., Result]
Read = Callable[[str], Any]


def test_right_books(run: Softix, read: Read) -> None:
    run("users create ada --email ada@example.org")
    run("balance add ada 25")
    counts = {"transfers": 1, "usage_rows": 0, "open_holds": 0, "periods": 0}
    assert read("ledger verify") == {"ok": True, **counts, "findings": []}
    assert "The books are right." in run("ledger verify").stderr
    assert read("ledger accounts") == [
        {"account": "cash", "balance": "-25.00"},
        {"account": "revenue", "balance": "0.00"},
        {"account": "adjustments", "balance": "0.00"},
        {"account": "wallets", "balance": "25.00"},
    ]


def test_wrong_books_end_with_1_and_a_remedy(run: Softix, instance: Path) -> None:
    run("users create ada --email ada@example.org")
    connection = engine_sqlite.connect(instance / "softix.db")
    connection.execute("UPDATE wallets SET posted_pico = 1")
    connection.close()
    told = run("ledger verify", code=1)
    assert "cached 1, entries 0 pico-USD" in told.stdout and "restore the last backup" in told.stderr
    result = run("ledger verify --json", code=1)
    assert '"ok": false' in result.stdout and "restore the last backup" in result.stdout

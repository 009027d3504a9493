from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from support.books import USD, make_intent, make_settlement, post

from softix_proxy.domain.core.clock import SystemClock
from softix_proxy.domain.core.ids import format_request_id
from softix_proxy.storage.sqlite.core.database import Database

Softix = Callable[..., Result]
Read = Callable[[str], Any]


@pytest.fixture(autouse=True)
def exceeded(database: Database) -> None:
    """A request with ten cents on hold cost thirty."""
    intent = make_intent(7, 0, hold_pico=USD // 10)
    connection = database.connect()
    post(connection, [make_settlement(intent, charge_pico=3 * USD // 10)], SystemClock().now_us())
    connection.close()


def test_bounds_list_shows_what_the_hold_lacked(read: Read) -> None:
    [row] = read("bounds list")
    told = {name: row[name] for name in ("model", "provider", "member", "times", "missing", "uncharged", "added")}
    assert told == {
        "model": "llama",
        "provider": "lab",
        "member": None,
        "times": 1,
        "missing": "0.20",
        "uncharged": "0.00",
        "added": "0.20",
    }
    assert (row["factor"], row["dearest"], row["widened"]) == ("3.000", "0.30", True)
    assert row["last_request_id"] == format_request_id(7)


def test_bounds_reset_with_dry_run_resets_nothing(run: Softix, read: Read) -> None:
    run("bounds reset llama --dry-run")
    assert len(read("bounds list")) == 1
    assert read("bounds reset lab/llama")["members"] == [None]
    assert read("bounds list") == []
    [row] = read("bounds list --all")
    assert (row["widened"], row["times"], row["added"]) == (False, 1, "0.00")
    assert "softix bounds list" in run("bounds reset llama", code=1).output

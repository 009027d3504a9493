from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from support.books import make_intent, make_settlement, post

from softix_proxy.domain.core.clock import SystemClock
from softix_proxy.domain.core.ids import format_request_id
from softix_proxy.domain.metering.settlement import FailedAttempt
from softix_proxy.domain.metering.usage import UsageSource
from softix_proxy.storage.sqlite.core.database import Database

Softix = Callable[..., Result]
Read = Callable[[str], Any]
REQUEST = format_request_id(1)


@pytest.fixture(autouse=True)
def books(instance: Path, run: Softix) -> None:
    """A request whose first attempt was charged, and whose second one cost nothing."""
    run("users create ada --email ada@example.org")
    run("keys create --user ada")
    run("balance add ada@example.org 5.00 --note test")
    run("providers add lab --type openai-compatible --base-url http://lab.example")
    run("models add llama --provider lab --input 2.00 --output 8.00")
    failed = (
        FailedAttempt(1, 1, 1, Fraction(1), UsageSource.PROVIDER, 200, "provider_fault", 12, {"input_tokens": 5},
                      "standard", 0, 10_000_000, 10_000_000),
        FailedAttempt(1, 1, 1, Fraction(1), UsageSource.NONE, 429, "provider_rate_limited", 3),
    )  # fmt: skip
    connection = Database(instance / "softix.db", SystemClock()).connect()
    meters = {"input_tokens": 1000, "output_tokens": 100}
    settlement = make_settlement(
        make_intent(1, 0, price_id=1),
        charge_pico=2_810_000_000,
        cost_pico=2_800_000_000,
        meters=meters,
        failed=failed,
        note="with_failed_attempts",
    )
    post(connection, [settlement], SystemClock().now_us())
    connection.close()


def test_usage_attempts_with_two_failed_attempts_returns_a_row_for_each(run: Softix, read: Read) -> None:
    second, first = read("usage attempts --user ada")
    assert (first["request_id"], first["attempt"], first["status_code"]) == (REQUEST, 1, 200)
    assert (first["provider_cost"], first["charge"], first["meters"]) == ("0.00001", "0.00001", {"input_tokens": 5})
    assert (second["attempt"], second["error"], second["charge"]) == (2, "provider_rate_limited", "0.00")
    assert "provider_rate_limited" in run("usage attempts").output
    assert read("usage attempts --from 2020-01-01 --to 2020-01-02") == []


def test_usage_show_and_explain_with_failed_attempts_contain_them(run: Softix, read: Read) -> None:
    shown = read(f"usage show {REQUEST}")
    assert shown["attempts"] == 3 and [each["status_code"] for each in shown["failed_attempts"]] == [200, 429]
    told = read(f"usage explain {REQUEST}")
    assert told["agrees"] is True and told["failed_attempts_charge"] == "0.00001" and told["charge"] == "0.00281"
    text = run(f"usage explain {REQUEST}").output
    assert "attempt 1: lab/llama 200 provider_fault after 12 ms, charged 0.00001 USD" in text
    assert "failed attempts" in text and "sum: 0.00281 USD" in text
    assert read("ledger verify")["ok"] is True


def test_usage_explain_and_ledger_verify_with_a_tampered_attempt_exit_with_code_1(run: Softix, instance: Path) -> None:
    connection = Database(instance / "softix.db", SystemClock()).connect()
    connection.execute("DROP TRIGGER attempts_no_update")
    connection.execute("UPDATE attempts SET charge_pico = 3000000000 WHERE sequence = 1")
    connection.close()
    run(f"usage explain {REQUEST}", code=1)
    run("ledger verify", code=1)

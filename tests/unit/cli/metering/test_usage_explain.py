from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from support.books import make_intent, make_settlement, post

from softix_proxy.domain.core.clock import SystemClock, parse_instant
from softix_proxy.domain.core.ids import format_request_id
from softix_proxy.domain.metering.usage import UsageSource
from softix_proxy.storage.sqlite.core.database import Database

Softix = Callable[..., Result]
Read = Callable[[str], Any]
NOW_US = parse_instant("2026-11-25T12:00:00Z")
PAID, LIMITED, LOST, ABOVE, CUT = (format_request_id(number) for number in (1, 2, 3, 4, 5))
METERS = {"input_tokens": 1000, "output_tokens": 100, "images": 3}


@pytest.fixture(autouse=True)
def database(instance: Path, run: Softix) -> Database:
    """Charged with mark-up and fee; cut to its hold; and interrupted."""
    run("users create ada --email ada@example.org")
    run("keys create --user ada")
    run("balance add ada@example.org 5.00 --note test")
    run("providers add lab --type openai-compatible --base-url http://lab.example")
    run("models add llama --provider lab --input 2.00 --output 8.00")
    database = Database(instance / "softix.db", SystemClock())
    paid = {"meters": METERS, "cost_pico": 2_800_000_000, "fee_pico": 500_000_000, "service_tier": "priority"}
    connection = database.connect()
    settlements = [
        make_settlement(make_intent(1, 0, price_id=1), charge_pico=3_300_000_000, **paid),
        make_settlement(
            make_intent(2, 0, price_id=1, hold_pico=10**9), charge_pico=10**9, note="limited_to_hold", **paid
        ),
        make_settlement(make_intent(3, 0, price_id=1), charge_pico=0, meters={}, source=UsageSource.INTERRUPTED),
    ]
    post(connection, settlements, NOW_US)
    connection.close()
    return database


def shown(result: Result) -> list[str]:
    return [" ".join(line.split()) for line in result.stdout.splitlines()]


def test_usage_explain_of_a_charged_request_shows_each_step_to_the_charge(run: Softix, read: Read) -> None:
    assert shown(run(f"usage explain {PAID}")) == [
        "input_tokens 1,000 × 2.00 / 1,000,000 × 1 = 0.002",
        "output_tokens 100 × 8.00 / 1,000,000 × 1 = 0.0008",
        "request fee 1 × 0.0005 = 0.0005",
        "sum: 0.0033 USD",
        "service_tier: without a price, so that the standard one applied",
        "images: without a price",
        "charged: 0.0033 USD",
    ]
    told = read(f"usage explain {PAID}")
    assert (told["request_fee"], told["lines_charge"], told["charge"]) == ("0.0005", "0.0033", "0.0033")
    assert told["unpriced"] == ["service_tier", "images"] and told["agrees"] is True


def test_usage_explain_of_a_limited_or_interrupted_request_reports_the_reason(run: Softix, read: Read) -> None:
    assert shown(run(f"usage explain {LIMITED}"))[-4:] == [
        "held: 0.001 USD",
        "above what was held: 0.0023 USD",
        "limited to what was held and available: 0.001 USD",
        "charged: 0.001 USD (limited_to_hold)",
    ]
    assert read(f"usage explain {LIMITED}")["limited_to_hold"] is True
    assert "nobody knows" in run(f"usage explain {LOST}").stdout


def test_usage_explain_of_a_request_above_its_hold_shows_what_was_held_and_what_was_available(
    run: Softix, read: Read, database: Database
) -> None:
    connection = database.connect()
    paid = {"meters": METERS, "cost_pico": 2_800_000_000, "fee_pico": 500_000_000, "note": "above_hold"}
    for number, balance_pico in ((4, 10**12), (5, 3 * 10**9)):
        connection.execute("UPDATE wallets SET posted_pico = ?", (balance_pico,))
        above = make_intent(number, 0, price_id=1, hold_pico=10**9)
        settlement = make_settlement(above, charge_pico=3_300_000_000, **paid)
        post(connection, [settlement], NOW_US + number, in_full=False)
    connection.close()
    assert shown(run(f"usage explain {ABOVE}"))[-3:] == [
        "held: 0.001 USD",
        "above what was held: 0.0023 USD",
        "charged: 0.0033 USD (above_hold)",
    ]
    assert shown(run(f"usage explain {CUT}"))[-4:] == [
        "held: 0.001 USD",
        "above what was held: 0.0023 USD",
        "limited to what was held and available: 0.003 USD",
        "charged: 0.003 USD (above_hold limited_to_balance)",
    ]
    told = read(f"usage explain {CUT}")
    assert (told["above_hold"], told["limited_to_balance"], told["agrees"]) == ("0.0023", True, True)
    assert read(f"usage explain {ABOVE}")["limited_to_balance"] is False


def test_usage_explain_of_a_corrected_request_lists_its_corrections(run: Softix, read: Read) -> None:
    run("prices set llama --input 1.00 --output 8.00")
    run(f"usage correct {PAID} --reprice --note 'wrong list' --yes")
    run(f"usage correct {PAID} --charge 0.01 --note 'as agreed' --yes")
    lines = shown(run(f"usage explain {PAID}"))
    assert lines[-3].endswith("-0.0015 USD (wrong list)") and lines[-2].endswith("0.0082 USD (as agreed)")
    assert lines[-1] == "charged in all: 0.01 USD"
    told = read(f"usage explain {PAID}")
    assert told["charge_after_corrections"] == "0.01"
    repriced, stated = (run(f"usage explain {one['request_id']}") for one in told["corrections"])
    assert "charged before: 0.0033 USD" in repriced.stdout and "sum: 0.0018 USD" in repriced.stdout
    assert stated.stdout.startswith("A correction, as its note states it.")


def test_usage_explain_with_a_charge_that_differs_from_its_lines_exits_with_code_1(
    database: Database, run: Softix
) -> None:
    connection = database.connect()
    meters = {"input_tokens": 1}
    post(connection, [make_settlement(make_intent(7, 0, price_id=1), charge_pico=5, meters=meters)], NOW_US + 1_000_000)
    connection.close()
    told = run(f"usage explain {format_request_id(7)}", code=1).stdout
    assert "differs from what was charged" in told
    assert "no usage of" in run(f"usage explain {format_request_id(8)}", code=1).stderr


def test_usage_show_of_a_charged_request_contains_the_request_fee_and_lines(run: Softix, read: Read) -> None:
    told = read(f"usage show {PAID}")
    assert (told["charge"], told["request_fee"], told["lines_charge"]) == ("0.0033", "0.0005", "0.0033")
    assert "request fee" in run(f"usage show {PAID}").stdout


def test_usage_explain_with_two_price_versions_recalculates_charge_and_provider_cost(
    run: Softix, read: Read, database: Database
) -> None:
    run("prices set llama --input 1.00 --output 2.00 --image 0.5 --user ada")
    connection = database.connect()
    both = make_settlement(
        make_intent(5, 0, price_id=2, hold_pico=2 * 10**12),
        meters={"input_tokens": 1000, "images": 2},
        cost_pico=2_000_000_000,
        charge_pico=10**9 + 10**12,
        cost_price_id=1,
        note="uncosted:images",
    )
    post(connection, [both], NOW_US + 99)
    connection.close()
    number = format_request_id(5)
    assert shown(run(f"usage explain {number}")) == [
        "input_tokens 1,000 × 1.00 / 1,000,000 × 1 = 0.001",
        "images 2 × 0.5 / 1 × 1 = 1.00",
        "sum: 1.001 USD",
        "charged: 1.001 USD (uncosted:images)",
        "What the provider asks, by price version 1:",
        "input_tokens 1,000 × 2.00 / 1,000,000 = 0.002",
        "images: without a price of the provider's",
        "provider's cost: 0.002 USD",
    ]
    told = read(f"usage explain {number}")
    assert (told["price_version"], told["cost_price_version"], told["provider_cost"]) == (2, 1, "0.002")
    assert [line["provider_cost"] for line in told["lines"]] == ["0.002", None]
    assert told["uncosted"] == ["images"] and told["unpriced"] == []


def test_usage_explain_with_unknown_provider_cost_reports_it_as_not_known(
    run: Softix, read: Read, database: Database
) -> None:
    run("prices set llama --input 1.00 --output 2.00 --user ada")
    connection = database.connect()
    unknown = {"meters": {"input_tokens": 1000}, "cost_pico": 0, "cost_price_id": 0, "note": "uncosted:input_tokens"}
    post(connection, [make_settlement(make_intent(6, 0, price_id=2), charge_pico=10**9, **unknown)], NOW_US + 99)
    connection.close()
    told = read(f"usage explain {format_request_id(6)}")
    assert (told["cost_price_version"], told["cost_lines"], told["agrees"]) == (None, [], True)
    assert "is not known" in run(f"usage explain {format_request_id(6)}").stdout


def test_usage_explain_with_a_cost_that_differs_from_its_lines_exits_with_code_1(
    run: Softix, database: Database
) -> None:
    run("prices set llama --input 1.00 --output 2.00 --user ada")
    connection = database.connect()
    wrong = {"meters": {"input_tokens": 1000}, "cost_pico": 10**9, "cost_price_id": 1}
    post(connection, [make_settlement(make_intent(8, 0, price_id=2), charge_pico=10**9, **wrong)], NOW_US + 99)
    connection.close()
    assert "provider's cost (differs from its lines)" in run(f"usage explain {format_request_id(8)}", code=1).stdout

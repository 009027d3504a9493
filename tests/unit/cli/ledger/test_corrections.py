from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from support.books import make_intent, make_settlement, post

from softix_proxy.domain.core.clock import DAY_US, SystemClock, format_instant, parse_instant
from softix_proxy.domain.core.ids import format_request_id
from softix_proxy.storage.sqlite.core.database import Database

Softix = Callable[..., Result]
Read = Callable[[str], Any]
NOW_US = parse_instant("2026-11-25T12:00:00Z")
YESTERDAY, TOMORROW = (str(format_instant(NOW_US + days * DAY_US))[:10] for days in (-1, 1))
FIRST = format_request_id(1)


@pytest.fixture(autouse=True)
def books(instance: Path, run: Softix) -> None:
    """Two requests of ada, each charged $0.002, at a price that is $2.00 a million now."""
    run("users create ada --email ada@example.org")
    run("keys create --user ada")
    run("balance add ada@example.org 5.00 --note test")
    run("providers add lab --type openai-compatible --base-url http://lab.example")
    run("models add llama --provider lab --input 2.00 --output 8.00")
    connection = Database(instance / "softix.db", SystemClock()).connect()
    paid = [
        make_settlement(make_intent(number, 0), charge_pico=2_000_000_000, meters={"input_tokens": 1000})
        for number in (1, 2)
    ]
    post(connection, paid, NOW_US)
    connection.close()


def test_usage_correct_with_a_new_charge_posts_the_difference(run: Softix, read: Read) -> None:
    told = read(f"usage correct {FIRST} --charge 0.00 --note 'the answer was empty' --yes")
    assert (told["request_id"], told["before"], told["after"], told["difference"]) == (FIRST, "0.002", "0.00", "-0.002")
    assert told["correction_row_id"] > told["corrects_row_id"]
    assert read("balance show ada")["balance"] == "4.998"
    again = read(f"usage correct {FIRST} --charge 0.00 --note 'once more' --yes")
    assert again["correction_row_id"] is None and again["difference"] == "0.00"
    assert run("ledger verify").exit_code == 0


def test_usage_reprice_of_a_period_posts_each_difference_once(run: Softix, read: Read) -> None:
    run("prices set lab/llama --input 3.00 --output 8.00")
    period = f"usage reprice --model llama --from {YESTERDAY} --to {TOMORROW} --user ada --note 'new list'"
    dry = read(f"{period} --dry-run")
    assert (dry["posted"], dry["difference"], len(dry["corrections"])) == (False, "0.002", 2)
    assert read("balance show ada")["balance"] == "4.996"
    shown = run(f"{period} --yes")
    assert "Corrected: 2. Difference: 0.002 USD." in shown.stderr
    assert shown.stdout.splitlines()[1].split("\t")[1:6] == ["ada", "llama", "0.002", "0.003", "0.001"]
    assert read("balance show ada")["balance"] == "4.994"
    assert read(f"{period} --yes")["corrections"] == [], "run again, it changes nothing"
    assert read(f"usage correct {FIRST} --reprice --note again --yes")["correction_row_id"] is None


def test_usage_correct_with_bad_input_changes_nothing(run: Softix, read: Read) -> None:
    assert "what should it have cost?" in run(f"usage correct {FIRST} --note n --yes", code=2).stderr
    both = run(f"usage correct {FIRST} --charge 1 --reprice --note n --yes", code=2)
    assert "what should it have cost?" in both.stderr
    assert "Add --yes" in run(f"usage correct {FIRST} --charge 1 --note n", code=2).stderr
    assert "--note is empty" in run(f"usage correct {FIRST} --charge 1 --note '' --yes", code=2).stderr
    assert "does not cover" in run(f"usage correct {FIRST} --charge 9 --note n --yes", code=1).stderr
    assert "no usage of" in run(f"usage correct {format_request_id(9)} --charge 1 --note n --yes", code=1).stderr
    assert read("balance show ada")["balance"] == "4.996"


def test_usage_recost_of_a_period_corrects_the_provider_cost_and_keeps_the_charge(
    instance: Path, run: Softix, read: Read
) -> None:
    """One that ada's own price was taken for, as older versions did; $2.00 a million asks the provider."""
    run("prices set llama --input 1.00 --output 2.00 --user ada")
    connection = Database(instance / "softix.db", SystemClock()).connect()
    intent = make_intent(3, 0, price_id=2, started_at_us=SystemClock().now_us())
    post(connection, [make_settlement(intent, charge_pico=10**9, meters={"input_tokens": 1000})], NOW_US + 99)
    connection.close()
    period = f"usage recost --from {YESTERDAY} --to {TOMORROW} --note 'costs by the provider'"
    assert "Add --yes" in run(period, code=2).stderr
    dry = read(f"{period} --dry-run")
    assert (dry["posted"], dry["provider_cost_difference"], dry["unknown"]) == (False, "0.001", 0)
    assert [one["provider_cost_after"] for one in dry["corrections"]] == ["0.002"]
    shown = run(f"{period} --user ada --model lab/llama --yes")
    assert "Corrected: 1. Difference of the cost: 0.001 USD." in shown.stderr
    assert shown.stdout.splitlines()[1].split("\t")[1:6] == ["ada", "llama", "0.001", "0.002", "0.001"]
    assert read(f"{period} --yes")["corrections"] == [], "run again, it changes nothing"
    assert read("balance show ada")["balance"] == "4.995" and read("ledger verify")["ok"] is True
    told = run(f"usage explain {format_request_id(3)}").stdout
    assert "provider's cost in all: 0.002 USD" in told and "charged in all: 0.001 USD" in told
    [correction] = read(f"usage explain {format_request_id(3)}")["corrections"]
    explained = run(f"usage explain {correction['request_id']}").stdout
    assert explained.startswith("A correction of the provider's cost; the charge stays as it was.")
    assert "provider's cost before: 0.001 USD" in explained


def test_usage_recost_with_unknown_provider_price_prints_the_remedy(instance: Path, run: Softix, read: Read) -> None:
    run("models add mistral --provider lab")
    run("prices set mistral --input 1.00 --output 2.00 --user ada")
    connection = Database(instance / "softix.db", SystemClock()).connect()
    intent = make_intent(4, 0, price_id=2, model_id=2, started_at_us=SystemClock().now_us())
    post(connection, [make_settlement(intent, charge_pico=10**9, meters={"input_tokens": 1000})], NOW_US + 99)
    connection.close()
    period = f"usage recost --from {YESTERDAY} --to {TOMORROW} --note costs"
    told = run(f"{period} --yes").stderr
    assert "Left as they are: 1" in told
    run("prices set mistral --input 3.00 --output 2.00")
    assert "--current-price" in told
    assert read(f"{period} --model mistral --current-price --yes")["provider_cost_difference"] == "0.002"

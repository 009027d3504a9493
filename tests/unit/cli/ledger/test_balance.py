from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

Softix = Callable[..., Result]
Read = Callable[[str], Any]


@pytest.fixture(autouse=True)
def ada(run: Softix) -> None:
    run("users create ada --email ada@example.org")


def test_balance_add_set_and_credit_limit_change_the_balance_and_its_history(run: Softix, read: Read) -> None:
    added = read("balance add ada@example.org 25.5 --note 'invoice 17' --reference pay-17")
    assert added == {
        "user_id": read("users show ada")["id"],
        "balance": "25.50",
        "held": "0.00",
        "available": "25.50",
        "credit_limit": "0.00",
        "currency": "USD",
        "added": True,
    }
    again = run("balance add ada@example.org 25.50 --reference pay-17")
    assert "posted before" in again.stderr
    assert read("balance set ada@example.org 0.000000000001")["difference"] == "-25.499999999999"
    assert read("balance set ada@example.org -5 --note owes")["balance"] == "-5.00"
    assert read("balance credit-limit ada@example.org 10")["available"] == "5.00"
    assert read("balance show ada")["credit_limit"] == "10.00"
    history = read("balance history ada")
    assert [(entry["kind"], entry["balance"]) for entry in history] == [
        ("adjustment", "-5.00"),
        ("adjustment", "0.000000000001"),
        ("top-up", "25.50"),
    ]
    assert (history[-1]["reference"], history[-1]["note"]) == ("pay-17", "invoice 17")
    assert read("balance history ada --limit 1") == history[:1]
    assert run("balance history ada").stdout.splitlines()[0].split("\t") == [
        "posted_at",
        "kind",
        "amount",
        "balance",
        "reference",
        "note",
    ]
    assert read("ledger verify")["ok"]


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("add ada@example.org 0", 2, "positive"),
        ("add ada@example.org -5", 2, "softix balance set ada@example.org"),
        ("add ada@example.org 1,5", 2, "not an amount"),
        ("add ada@example.org 9999999", 2, "too large"),
        ("add ada@example.org 1 --note 'two\nlines'", 2, "one line"),
        ("add eve 1", 1, "no user"),
        ("add ada@example.org 2 --reference pay-1", 1, "another posting"),
        ("credit-limit ada -1", 2, "not negative"),
        ("add ada@example.org 1 --nope", 2, "extra argument"),
        ("history ada --limit 0", 2, "--limit"),
    ],
)
def test_balance_command_with_bad_input_changes_nothing(
    run: Softix, read: Read, line: str, code: int, said: str
) -> None:
    run("balance add ada@example.org 1 --reference pay-1")
    before = read("balance show ada")
    assert said in run(f"balance {line}", code=code).stderr
    assert read("balance show ada") == before


def test_balance_adjust_posts_a_difference_once_by_its_reference(run: Softix, read: Read) -> None:
    run("balance add ada@example.org 10")
    assert read("balance adjust ada@example.org -2.5 --note 'taken back' --reference adj-1")["balance"] == "7.50"
    assert "posted before" in run("balance adjust ada@example.org -2.5 --note x --reference adj-1").stderr
    assert read("balance adjust ada@example.org 1 --note goodwill --dry-run")["balance"] == "8.50"
    assert read("balance show ada")["balance"] == "7.50"
    run("balance adjust ada@example.org 0 --note nothing", code=2)
    run("balance adjust ada@example.org 1", code=2)

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

Softix = Callable[..., Result]
Read = Callable[[str], Any]


def test_budgets_set_list_recount_and_remove_return_what_is_left(run: Softix, read: Read) -> None:
    read("users create acme --email acme@example.org")
    bot = read("projects create acme bot")
    made = read("budgets set acme 200.00 --project bot --period month")
    assert list(made) == [
        "id", "project", "member", "name", "period", "amount", "spent", "held", "left", "percent", "ends_at",
        "zone", "reset_day", "alerts", "raised_to", "raised_until",
    ]  # fmt: skip
    assert (made["project"], made["amount"], made["left"], made["percent"]) == (bot["id"], "200.00", "200.00", 0)
    assert read("budgets set acme 0.50 --project bot --period month")["id"] == made["id"]
    [listed] = read("budgets list acme")
    assert listed["amount"] == "0.50" and read("budgets recount acme") == [listed]
    assert "Add --yes" in run(f"budgets remove acme {made['id']}", code=2).stderr
    assert read(f"budgets remove acme {made['id']} --yes") == listed
    assert read("budgets list acme") == []


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("set acme 1 --period day", 2),
        ("set acme 1 --project bot --member acc_x --period day", 2),
        ("set acme -- -1 --project bot --period day", 2),
        ("set acme 1 --project bot", 2),
        ("set acme 1 --project bot --period year", 2),
        ("set acme 1 --project nothing --period day", 1),
        ("set acme 1 --member nobody@example.org --period day", 1),
        ("remove acme bud_0 --yes", 1),
        ("list nobody", 1),
    ],
)
def test_budgets_with_wrong_options_say_what_to_do(run: Softix, read: Read, line: str, code: int) -> None:
    read("users create acme --email acme@example.org")
    read("projects create acme bot")
    run(f"budgets {line}", code=code)

"""The options of limits reach a budget, and the word `none` removes each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

Softix = Callable[..., Result]
Read = Callable[[str], Any]


def test_budget_gets_a_zone_a_reset_day_alerts_and_a_raise_and_loses_them(read: Read) -> None:
    read("users create acme --email acme@example.org")
    read("projects create acme bot")
    line = "budgets set acme {} --project bot --period month"
    plain = read(line.format("10"))
    assert (plain["zone"], plain["reset_day"], plain["alerts"], plain["raised_to"]) == (None, None, [50, 80, 100], None)
    terms = " --zone Europe/Berlin --reset-day 15 --alert 25,75"
    changed = read(line.format("10") + terms)
    assert (changed["zone"], changed["reset_day"], changed["alerts"]) == ("Europe/Berlin", "15", [25, 75])
    assert changed["ends_at"][8:10] == "14" and changed["ends_at"][11:16] in ("22:00", "23:00")
    raised = read(line.format("50") + " --until 2999-12-24")
    assert (raised["amount"], raised["raised_to"], raised["left"]) == ("10.00", "50.00", "50.00")
    assert raised["raised_until"] == "2999-12-23T23:00:00.000000Z"
    removed = read(line.format("10") + " --zone none --reset-day none --alert none --until none")
    assert removed == {**plain, "alerts": []}


@pytest.mark.parametrize("terms", ["--zone Berlin", "--reset-day monday", "--alert 0", "--until 2020-01-01"])
def test_budget_with_terms_that_cannot_be_kept_is_refused(run: Softix, read: Read, terms: str) -> None:
    read("users create acme --email acme@example.org")
    read("projects create acme bot")
    run(f"budgets set acme 1 --project bot --period month {terms}", code=2)

"""What a group of requests does to the budgets of their keys, and that a key without a budget pays nothing for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.books import NOW_US, make_database, make_intent, make_settlement, revision

from softix_proxy.domain.core.calendar import calendar
from softix_proxy.domain.core.errors import Code
from softix_proxy.domain.metering.admission import Admitted, Denied, Intent
from softix_proxy.storage.sqlite.core.engine import SqliteConnection
from softix_proxy.storage.sqlite.write_path.group import CommitGroup

DAY_US = calendar("UTC").at(NOW_US).day_us
TEAM = """
INSERT INTO projects (id, public_id, user_id, name, created_at_us) VALUES (1, 'prj_a', 1, 'a', 1);
INSERT INTO keys (id, public_id, user_id, prefix, digest, created_at_us)
  VALUES (3, 'key_two', 1, 'sx_live_cccc', x'03', 1);
INSERT INTO key_owners (key_id, from_number, project_id) VALUES (1, 1, 1), (3, 1, 1);
INSERT INTO budgets (id, public_id, user_id, project_id, period, amount_pico, created_at_us, spent_at_us)
  VALUES (1, 'bud_a', 1, 1, 'day', 1000, 1, 1), (2, 'bud_b', 1, 1, 'month', 900, 1, 1);
INSERT INTO key_budgets (key_id, budget_id) VALUES (1, 1), (1, 2), (3, 1), (3, 2);
"""
"""Ada's keys 1 and 3 share a budget a day and one a month. Bob's key 2 has none."""


class Counting:
    """A connection that notes what it executes."""

    def __init__(self, connection: SqliteConnection) -> None:
        self._connection = connection
        self.statements: list[str] = []

    def execute(self, statement: str, *values: Any) -> Any:
        self.statements.append(statement)
        return self._connection.execute(statement, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


@pytest.fixture
def books(tmp_path: Path) -> Iterator[SqliteConnection]:
    connection = make_database(tmp_path).connect()
    connection.execute(TEAM)
    yield connection
    connection.close()


def group(books: Any, *intents: Intent, now_us: int = NOW_US) -> CommitGroup:
    loaded = CommitGroup(books, 7, now_us)
    loaded.load(intents)
    return loaded


def states(books: SqliteConnection) -> list[tuple[int, ...]]:
    """(Held, spent) of each budget."""
    return list(books.execute("SELECT held_pico, spent_pico FROM budgets ORDER BY id").fetchall())


def test_keys_of_a_project_share_its_budgets_within_one_group(books: SqliteConnection) -> None:
    at = revision(books)
    intents = [make_intent(n, at, hold_pico=400, key_id=key) for n, key in ((1, 1), (2, 3), (3, 1), (4, 3))]
    batch = group(books, *intents)
    decisions = batch.admit(intents)
    assert [isinstance(decision, Admitted) for decision in decisions] == [True, True, False, False]
    assert isinstance(decisions[2], Denied) and decisions[2].code is Code.BUDGET_REACHED
    batch.save()
    assert states(books) == [(800, 0), (800, 0)]


def test_settlement_counts_the_charge_in_each_budget_and_frees_the_hold_for_the_same_group(
    books: SqliteConnection,
) -> None:
    at = revision(books)
    first, second = make_intent(1, at, hold_pico=900), make_intent(2, at, hold_pico=600, key_id=3)
    batch = group(books, first)
    batch.admit([first])
    batch.save()
    batch = group(books, first, second)
    batch.settle([make_settlement(first, charge_pico=300)])
    assert isinstance(batch.admit([second])[0], Admitted)
    batch.save()
    assert states(books) == [(600, 300), (600, 300)]


def test_withdrawn_request_leaves_its_budgets_as_they_were(books: SqliteConnection) -> None:
    intent = make_intent(1, revision(books), hold_pico=400)
    batch = group(books, intent)
    batch.admit([intent])
    batch.forget([intent])
    batch.save()
    assert states(books) == [(0, 0), (0, 0)]


def test_charge_counts_in_the_period_of_its_posting(books: SqliteConnection) -> None:
    """A charge of this moment may get a number of the next day, if the books are a moment ahead of the clock."""
    midnight_us = calendar("UTC").at(NOW_US).end_us
    columns = "id, from_account, to_account, amount_pico, kind"
    books.execute(f"INSERT INTO transfers ({columns}) VALUES (?, -1, 1, 1, 'top-up')", (midnight_us,))
    intent = make_intent(1, revision(books), hold_pico=400)
    batch = group(books, intent, now_us=midnight_us - 1)
    batch.admit([intent])
    batch.settle([make_settlement(intent, charge_pico=400)])
    batch.save()
    assert books.execute("SELECT id FROM usage").fetchall() == [(midnight_us + 1,)]
    assert books.execute("SELECT spent_at_us FROM budgets").fetchall() == [(midnight_us + 1,)] * 2


def test_parts_of_a_budget_are_noted_by_the_settlement_that_reaches_them(books: SqliteConnection) -> None:
    at = revision(books)
    month_us = calendar("UTC").at(NOW_US).month_us
    expected = {(2, month_us, 50), (1, DAY_US, 50), (2, month_us, 80)}
    for number, charge_pico in enumerate((449, 1, 50, 220), 1):
        intent = make_intent(number, at, hold_pico=charge_pico)
        batch = group(books, intent)
        batch.admit([intent])
        batch.settle([make_settlement(intent, charge_pico=charge_pico)])
        batch.save()
    noted = books.execute("SELECT budget_id, period_start_us, percent FROM budget_alerts").fetchall()
    assert {tuple(row) for row in noted} == expected


def test_refusal_in_the_last_fifth_of_a_budget_is_noted_as_its_end(books: SqliteConnection) -> None:
    at = revision(books)
    spent, asked = make_intent(1, at, hold_pico=730), make_intent(2, at, hold_pico=200)
    batch = group(books, spent, asked)
    batch.admit([spent])
    batch.settle([make_settlement(spent, charge_pico=730)])
    [refused] = batch.admit([asked])
    batch.save()
    assert isinstance(refused, Denied) and refused.code is Code.BUDGET_REACHED
    ended = books.execute("SELECT budget_id, period_start_us FROM budget_alerts WHERE percent = 100").fetchall()
    assert ended == [(2, calendar("UTC").at(NOW_US).month_us)], "the day's budget has room for it"


@pytest.mark.parametrize("work", ["admit", "settle", "count"])
def test_key_without_a_budget_runs_no_statement_more_than_without_any_budget(
    books: SqliteConnection, tmp_path: Path, work: str
) -> None:
    (tmp_path / "plain").mkdir()
    plain = make_database(tmp_path / "plain").connect()
    run = [statements_of(connection, work) for connection in (plain, books)]
    plain.close()
    assert run[0] == run[1] and not any("budget" in text.partition("SELECT json_array")[0] for text in run[0])


def statements_of(connection: SqliteConnection, work: str, number: int = 1) -> list[str]:
    """What bob's request runs."""
    counting = Counting(connection)
    intent = make_intent(number, revision(connection), user=2, hold_pico=400)
    batch = group(counting, intent)
    if work != "count":
        batch.admit([intent])
    if work == "settle":
        batch.settle([make_settlement(intent, charge_pico=400)])
    batch.save()
    return counting.statements


def test_key_with_a_budget_runs_one_statement_more(books: SqliteConnection) -> None:
    """Its budgets are read with the other states, and written by a statement of their own."""
    intent = make_intent(1, revision(books), hold_pico=100)
    counting = Counting(books)
    batch = group(counting, intent)
    batch.admit([intent])
    batch.save()
    assert len(counting.statements) == len(statements_of(books, "admit", 2)) + 1


def test_line_of_a_batch_holds_and_settles_in_the_same_budgets(books: SqliteConnection) -> None:
    """What is parked waits for the results of a batch. Its hold is one like any other."""
    intent = make_intent(1, revision(books), hold_pico=400)
    batch = group(books, intent)
    batch.admit([intent])
    batch.save()
    books.execute("UPDATE intents SET slot = -1")
    books.execute("UPDATE key_states SET open_requests = 0")
    assert states(books) == [(400, 0), (400, 0)]
    batch = group(books, intent)
    batch.settle([make_settlement(intent, hold_pico=400, charge_pico=7)])
    batch.save()
    assert states(books) == [(0, 7), (0, 7)]


def test_budget_that_a_clock_ahead_has_left_in_the_future_counts_and_comes_back(books: SqliteConnection) -> None:
    books.execute("UPDATE budgets SET spent_at_us = ?, spent_pico = 300", (NOW_US + 40 * 24 * 3600 * 10**6,))
    intent = make_intent(1, revision(books), hold_pico=400)
    batch = group(books, intent)
    batch.admit([intent])
    batch.settle([make_settlement(intent, charge_pico=7)])
    batch.save()
    assert states(books) == [(0, 307), (0, 307)]
    assert books.execute("SELECT spent_at_us FROM budgets").fetchall() == [(NOW_US,)] * 2

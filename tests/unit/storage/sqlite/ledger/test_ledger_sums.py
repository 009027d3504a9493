"""Over more rows than a portion holds; that each rule finds what breaks it is in test_ledger_sql."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.books import NOW_US, POSTED_PICO, make_database, make_intent, make_settlement, revision

from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.ledger.ledger import LedgerViolation
from softix_proxy.storage.sqlite.core.database import Database, DatabaseSession
from softix_proxy.storage.sqlite.core.engine import SqliteConnection
from softix_proxy.storage.sqlite.ledger import ledger_sums
from softix_proxy.storage.sqlite.ledger.ledger_sums import BALANCES, DAYS, SPEND
from softix_proxy.storage.sqlite.write_path.group import CommitGroup

DAY = NOW_US // DAY_US
MANY = 100


def settle(connection: SqliteConnection, numbers: range, now_us: int) -> None:
    """Requests of both users by turns, 7 pico-USD each; one of them failed."""
    intents = [make_intent(number, revision(connection), user=1 + number % 2, hold_pico=9) for number in numbers]
    for intent in intents:
        batch = CommitGroup(connection, 0, now_us)
        batch.load([intent])
        batch.admit([intent])
        batch.settle([make_settlement(intent, charge_pico=7, error="internal" if intent.request_id == 3 else None)])
        batch.save()


@pytest.fixture(params=[1, 3, 4, 5, 100])
def database(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Database:
    """Four requests on one day and five two days later, in portions that end within a day, between days, or after."""
    monkeypatch.setattr(ledger_sums, "PORTION_ROWS", request.param)
    made = make_database(tmp_path)
    connection = made.connect()
    settle(connection, range(4), NOW_US)
    settle(connection, range(4, 9), NOW_US + 2 * DAY_US)
    for (trigger,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {trigger}")
    connection.close()
    return made


@pytest.fixture
async def session(database: Database) -> AsyncIterator[DatabaseSession]:
    await database.open()
    yield database.session
    await database.close()


def change(database: Database, statement: str) -> None:
    connection = database.connect()
    connection.execute(statement)
    assert connection.changes() >= 1
    connection.close()


async def test_entry_sums_with_any_portion_size_match_the_wallets(session: DatabaseSession) -> None:
    sums = await ledger_sums.entries(session)
    assert sums == {-1: -2 * POSTED_PICO, -2: 9 * 7, 1: POSTED_PICO - 5 * 7, 2: POSTED_PICO - 4 * 7}
    assert await ledger_sums.wrong_balances(session, sums) == []
    assert [found.subject for found in await ledger_sums.wrong_balances(session, {**sums, 2: 0})] == ["usr_bob"]
    assert (await ledger_sums.wrong_balances(session, {}))[0] == LedgerViolation(
        BALANCES, "usr_ada", f"cached {POSTED_PICO - 35}, entries 0 pico-USD"
    )


async def test_usage_sums_that_match_their_rows_have_no_violations(session: DatabaseSession) -> None:
    assert await ledger_sums.wrong_usage_sums(session, MANY) == []


async def test_usage_sums_without_rows_have_no_violations(tmp_path: Path) -> None:
    empty = await make_database(tmp_path).open()
    assert await ledger_sums.wrong_usage_sums(empty.session, MANY) == []
    await empty.close()


@pytest.mark.parametrize("day", [DAY - 1, DAY, DAY + 1, DAY + 2, DAY + 3])
async def test_daily_sum_without_rows_is_reported(session: DatabaseSession, database: Database, day: int) -> None:
    """Before the first, between two portions, after the last."""
    change(database, f"INSERT INTO usage_daily VALUES ({day}, 1, 77, 1, 1, 1, 0, 0, 0, 0, 0)")
    assert await ledger_sums.wrong_usage_sums(session, MANY) == [LedgerViolation(DAYS, f"day {day}", "key 1, model 77")]


@pytest.mark.parametrize("day", [DAY, DAY + 2])
@pytest.mark.parametrize("column", ["requests", "errors", "input_tokens", "output_tokens", "cost_pico", "charge_pico"])
async def test_daily_sum_with_a_changed_column_is_reported(
    session: DatabaseSession, database: Database, day: int, column: str
) -> None:
    change(database, f"UPDATE usage_daily SET {column} = {column} + 1 WHERE day = {day} AND key_id = 2")
    assert await ledger_sums.wrong_usage_sums(session, MANY) == [LedgerViolation(DAYS, f"day {day}", "key 2, model 1")]


async def test_usage_sum_violations_above_the_limit_are_left_out(session: DatabaseSession, database: Database) -> None:
    change(database, "UPDATE usage_daily SET requests = 0")
    change(database, "DELETE FROM key_states")
    found = await ledger_sums.wrong_usage_sums(session, 1)
    assert [(violation.rule, violation.subject) for violation in found] == [(DAYS, f"day {DAY}"), (SPEND, "key_ada")]
    assert len(await ledger_sums.wrong_usage_sums(session, MANY)) == 4 + 2


async def test_rotated_key_with_the_spend_of_its_predecessors_has_no_violation(
    session: DatabaseSession, database: Database
) -> None:
    change(
        database,
        "INSERT INTO keys (id, public_id, user_id, prefix, digest, rotated_from, created_at_us)"
        " VALUES (3, 'key_3', 1, '', x'03', 1, 1), (4, 'key_4', 1, '', x'04', 3, 1)",
    )
    change(database, "INSERT INTO key_states (key_id, spent_total_pico) VALUES (3, 7), (4, 35)")
    assert await ledger_sums.wrong_usage_sums(session, MANY) == []
    change(database, "UPDATE key_states SET spent_total_pico = 36 WHERE key_id >= 3")
    assert [found.subject for found in await ledger_sums.wrong_usage_sums(session, MANY)] == ["key_3", "key_4"]

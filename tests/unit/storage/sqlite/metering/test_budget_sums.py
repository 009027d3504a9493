"""What a clock that was wrong does to a budget, and how its state is found wrong and counted again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.books import NOW_US, USD, StoppedClock, make_database, make_intent, make_settlement, post
from support.organisation import own, project

from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.organisations.organisations import OPERATOR
from softix_proxy.operations.ledger import redating
from softix_proxy.operations.metering import budgets
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.metering.budget_sums import SPENT
from softix_proxy.storage.sqlite.unit import SqliteStorage


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
async def database(tmp_path: Path, clock: StoppedClock) -> AsyncIterator[Database]:
    database = await make_database(tmp_path, clock).open()
    yield database
    await database.close()


@pytest.fixture
async def storage(database: Database) -> SqliteStorage:
    """With a budget a day of ada's key."""
    storage = SqliteStorage(database)
    bot = await project(storage, "bot")
    await own(storage, 1, project_id=bot.id)
    await budgets.set_to(storage, "usr_ada", 10 * USD, "day", OPERATOR, project="bot")
    return storage


def request(database: Database, number: int, charge_pico: int, at_us: int) -> None:
    connection = database.connect()
    post(connection, [make_settlement(make_intent(number, 0), charge_pico=charge_pico)], at_us)
    connection.close()


async def wrong(storage: SqliteStorage) -> list[str]:
    async with storage.snapshot() as unit:
        return [found.detail for found in (await unit.ledger.verify()).violations if found.rule == SPENT]


async def test_charge_while_the_clock_was_a_day_ahead_counts_today_until_it_is_redated(
    storage: SqliteStorage, database: Database, clock: StoppedClock
) -> None:
    """So a wrong clock opens no budget, and after `ledger redate` the state is again the sum of the rows."""
    request(database, 1, 3, NOW_US)
    request(database, 2, 5, NOW_US + DAY_US)
    request(database, 3, 7, NOW_US + 1000)
    [standing] = await budgets.list_all(storage, "ada", OPERATOR)
    assert standing.spent_pico == 5 + 7, "what was charged under the wrong day, and after"
    assert "softix budgets recount" in (await wrong(storage))[0]
    clock.us = NOW_US + 2000
    assert [one async for one in redating.run(storage, None, DAY_US, note="the clock was wrong", dry=False)]
    await budgets.recount(storage, "ada")
    [standing] = await budgets.list_all(storage, "ada", OPERATOR)
    assert standing.spent_pico == 3 + 5 + 7 and await wrong(storage) == []


async def test_wrong_state_of_a_budget_is_found_and_counted_again(storage: SqliteStorage, database: Database) -> None:
    request(database, 1, 3, NOW_US)
    await database.session.run("UPDATE budgets SET spent_pico = 4")
    assert await wrong(storage) == ["cached 4, rows 3 pico-USD; count again: softix budgets recount"]
    [standing] = await budgets.recount(storage, "ada")
    assert standing.spent_pico == 3 and await wrong(storage) == []


async def test_budget_of_a_period_that_is_over_is_still_proved(
    storage: SqliteStorage, database: Database, clock: StoppedClock
) -> None:
    request(database, 1, 3, NOW_US)
    clock.us = NOW_US + 5 * DAY_US
    assert await wrong(storage) == []
    await database.session.run("UPDATE budgets SET spent_pico = 2")
    assert await wrong(storage) != []

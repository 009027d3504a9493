from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from support.books import NOW_US, StoppedClock, make_database, make_intent, make_settlement, post
from support.organisation import join, own, project

from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.organisations.organisations import OPERATOR
from softix_proxy.jobs import budget_alerts
from softix_proxy.operations.metering import budgets
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.unit import SqliteStorage

WAIT_S = 10
STORAGE: Any = None


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = await make_database(tmp_path, StoppedClock()).open()
    yield database
    await database.close()


async def test_look_after_budgets_adds_the_message_of_a_part_that_was_reached(database: Database) -> None:
    storage = SqliteStorage(database)
    bot = await project(storage, "bot")
    await own(storage, 1, project_id=bot.id)
    await join(storage, "owner", OrganisationRole.OWNER)
    await budgets.set_to(storage, "ada", 1000, "day", OPERATOR, project="bot")
    assert await budget_alerts.look(storage) == 0
    connection = database.connect()
    post(connection, [make_settlement(make_intent(1, 0, hold_pico=800), charge_pico=800)], NOW_US)
    connection.close()
    assert await budget_alerts.look(storage) == 1
    assert await budget_alerts.look(storage) == 0


async def test_watch_over_budgets_continues_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_again, looks = asyncio.Event(), 0

    async def look(storage: object) -> int:
        nonlocal looks
        looks += 1
        if looks == 1:
            raise FailureError("the disk is full")
        looked_again.set()
        return 0

    monkeypatch.setattr(budget_alerts, "look", look)
    monkeypatch.setattr(budget_alerts, "_EVERY_S", 0)
    task = asyncio.create_task(budget_alerts.watch(STORAGE))
    await asyncio.wait_for(looked_again.wait(), WAIT_S)
    task.cancel()
    await asyncio.wait([task])

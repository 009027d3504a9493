"""What the sums of caps say of books that were changed by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.books import NOW_US, StoppedClock, make_database, make_intent, make_settlement, post

from softix_proxy.domain.core.calendar import calendar
from softix_proxy.operations.access import limit_changes
from softix_proxy.operations.access.caps import AskedLimits
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.metering import cap_sums
from softix_proxy.storage.sqlite.unit import SqliteStorage


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """With a charge of 5, and a cap of it by each way to count it."""
    database = await make_database(tmp_path, StoppedClock()).open()
    storage, connection = SqliteStorage(database), database.connect()
    post(connection, [make_settlement(make_intent(1, 0), charge_pico=5)], NOW_US)
    connection.close()
    for models in ("", "lab/*", "gpt-*"):
        await limit_changes.set_of_key(storage, "key_ada", AskedLimits(models, {"day": 1000, "total": 1000}))
    await limit_changes.set_of_user(storage, "ada", AskedLimits("llama", {"month": 1000}))
    yield database
    await database.close()


async def spent(database: Database) -> list[int]:
    rows = await database.session.all("SELECT spent_pico FROM caps ORDER BY id")
    return [row[0] for row in rows]


async def test_caps_that_agree_with_the_rows_are_right_and_others_are_named(database: Database) -> None:
    assert await spent(database) == [5, 5, 5, 5, 0, 0, 5]
    assert await cap_sums.wrong_spend(database.session) == []
    await database.session.run("UPDATE caps SET spent_pico = 9 WHERE id IN (2, 5)")
    wrong = await cap_sums.wrong_spend(database.session)
    assert [each.subject for each in wrong] == ["cap 2", "cap 5"] and "cached 9, rows 5" in wrong[0].detail


async def test_caps_that_are_counted_again_are_right(database: Database) -> None:
    await database.session.run("UPDATE caps SET spent_pico = 9")
    await cap_sums.count_again(database.session, calendar("UTC"), NOW_US)
    assert await spent(database) == [5, 5, 5, 5, 0, 0, 5]


async def test_key_that_replaced_another_one_in_the_period_is_not_judged(database: Database) -> None:
    await database.session.run("UPDATE keys SET rotated_from = 2, created_at_us = ? WHERE id = 1", NOW_US)
    await database.session.run("UPDATE caps SET spent_pico = 9 WHERE key_id = 1")
    assert await cap_sums.wrong_spend(database.session) == []

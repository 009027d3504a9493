from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.books import NOW_US, make_database, make_intent, make_settlement, post

from softix_proxy.domain.metering.bounds import WidenedBound, Widening
from softix_proxy.domain.routing.directory import Directory
from softix_proxy.storage.sqlite.unit import SqliteStorage


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[SqliteStorage]:
    database = make_database(tmp_path)
    connection = database.connect()
    for number, charge_pico, members in ((1, 100, ()), (2, 60, ("documents",))):
        settlement = make_settlement(
            make_intent(number, 0, hold_pico=30), charge_pico=charge_pico, members=members, note="above_hold"
        )
        post(connection, [settlement], NOW_US + number)
    connection.close()
    await database.open()
    yield SqliteStorage(database)
    await database.close()


async def test_bound_store_lists_the_latest_excess_first(storage: SqliteStorage) -> None:
    latest, first = await storage.reading().bounds.list()
    assert first == WidenedBound(1, 1, "", Widening(70, 3334, 100), 1, 70, 0, NOW_US + 1, NOW_US + 1, 1)
    assert (latest.member, latest.widening) == ("documents", Widening(30, 2000, 60))


async def test_bound_store_reset_ends_the_widening_in_every_directory(storage: SqliteStorage) -> None:
    directory = Directory()
    directory.apply(await storage.changes(0))
    assert directory.widening(1, ()) == Widening(70, 3334, 100)
    assert directory.widening(1, ("documents",)) == Widening(70, 3334, 100)
    assert directory.widening(2, ("documents",)) is None
    async with storage.writing() as unit:
        await unit.bounds.reset(1)
    directory.apply(await storage.changes(directory.revision))
    assert directory.widening(1, ()) is None
    assert directory.widening(1, ("documents",)) == Widening(30, 2000, 60)
    [_, first] = await storage.reading().bounds.list()
    assert not first.is_wider and (first.times, first.missing_pico) == (1, 70)

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.books import make_database

from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.operations.instance import zones
from softix_proxy.storage.sqlite.unit import SqliteStorage


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[SqliteStorage]:
    database = await make_database(tmp_path).open()
    yield SqliteStorage(database)
    await database.close()


async def test_zone_that_is_already_set_is_not_changed(storage: SqliteStorage) -> None:
    assert not await zones.apply(storage, "UTC")
    assert await zones.apply(storage, "Europe/Berlin")
    assert not await zones.apply(storage, "Europe/Berlin")
    assert (await storage.reading().instance.calendar()).name == "Europe/Berlin"
    assert await zones.apply(storage, "UTC")


async def test_zone_that_is_unknown_is_refused_and_changes_nothing(storage: SqliteStorage) -> None:
    with pytest.raises(BadInputError, match="not a time zone"):
        await zones.apply(storage, "Mars/Olympus")
    assert (await storage.reading().instance.calendar()).name == "UTC"

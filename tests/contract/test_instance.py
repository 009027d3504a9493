from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from softix_proxy.domain.core.clock import SystemClock
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.unit import SqliteStorage


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[SqliteStorage]:
    database = Database(tmp_path / "softix.db", SystemClock())
    database.create()
    await database.open()
    yield SqliteStorage(database)
    await database.close()


async def test_keeps_named_values(storage: SqliteStorage) -> None:
    assert await storage.reading().instance.get("pepper") is None
    async with storage.writing() as unit:
        await unit.instance.set("pepper", b"\x00\xff")
        await unit.instance.set("other", b"")
    async with storage.writing() as unit:
        await unit.instance.set("other", b"1")
    assert await storage.reading().instance.get("pepper") == b"\x00\xff"
    assert await storage.reading().instance.get("other") == b"1"

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from support.books import StoppedClock, make_database
from support.listening import heard, listen

from softix_proxy.domain.notices.webhook_events import EventKind
from softix_proxy.jobs import event_conditions
from softix_proxy.storage.sqlite.unit import SqliteStorage


async def test_watch_tells_of_a_low_balance_once_somebody_listens(tmp_path: Path) -> None:
    clock = StoppedClock()
    made = make_database(tmp_path, clock)
    connection = made.connect()
    connection.execute("INSERT INTO key_states (key_id, spent_total_pico) VALUES (1, 1)")
    connection.execute("UPDATE wallets SET posted_pico = 0 WHERE user_id = 1")
    connection.close()
    database = await made.open()
    try:
        storage = SqliteStorage(database)
        assert await event_conditions.look(storage, 10**12) == 0
        await listen(storage)
        watching = asyncio.ensure_future(event_conditions.watch(storage, 10**12, every_s=0.001))
        async with asyncio.timeout(20):
            while not await heard(storage):
                await asyncio.sleep(0)
        watching.cancel()
        await asyncio.wait([watching])
        [(kind, data)] = await heard(storage)
        assert (kind, data["organisation"]) == (EventKind.BALANCE_LOW, "usr_ada")
    finally:
        await database.close()


async def test_watch_goes_on_after_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    class Failing:
        asked = 0

        def reading(self) -> None:
            self.asked += 1
            raise RuntimeError("secret")

    storage = Failing()
    watching = asyncio.ensure_future(event_conditions.watch(storage, 1, every_s=0))  # type: ignore[arg-type]
    async with asyncio.timeout(20):
        while storage.asked < 3:
            await asyncio.sleep(0)
    watching.cancel()
    await asyncio.wait([watching])
    assert "secret" not in caplog.text

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from support.books import NOW_US, StoppedClock, make_database

from softix_proxy.domain.accounts.security_events import SecurityEvent
from softix_proxy.domain.core.calendar import Calendar
from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.privacy.technical_data import KeyAddress, SeenGroup, TechnicalDataFilter
from softix_proxy.jobs import technical_data
from softix_proxy.jobs.technical_data import SeenWriter
from softix_proxy.operations.privacy import technical_expiry
from softix_proxy.relay.core.seen_clients import SeenClients
from softix_proxy.storage.sqlite.unit import SqliteStorage

ALL = TechnicalDataFilter()
UTC = Calendar("UTC")


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[SqliteStorage]:
    database = await make_database(tmp_path, StoppedClock()).open()
    yield SqliteStorage(database)
    await database.close()


class Failing:
    """A storage that fails for a while."""

    def __init__(self, storage: SqliteStorage) -> None:
        self._storage = storage
        self.fails = True

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Any]:
        async with self._storage.writing() as unit:
            yield unit
            if self.fails:
                raise FailureError("the disk is full")


async def test_what_was_seen_is_written_once(storage: SqliteStorage) -> None:
    seen = SeenClients()
    writer = SeenWriter(seen, storage, UTC)
    seen.note(1, "::ffff:192.0.2.1", "curl/8.1", "TLSv1.3", NOW_US)
    seen.note(1, "192.0.2.1", "OpenAI/Python 1.2", "", NOW_US + 5)
    seen.guessed("192.0.2.9", NOW_US, slowed=False)
    await writer.write()
    await writer.write()
    data = storage.reading().technical_data
    assert await data.addresses(ALL, 9) == [KeyAddress(1, NOW_US // DAY_US, "192.0.2.1", NOW_US, NOW_US + 5, 2)]
    assert {(row.family, row.tls, row.requests) for row in await data.agents(ALL, 9)} == {
        ("curl", "TLSv1.3", 1),
        ("OpenAI Python SDK", "", 1),
    }
    [guess] = await data.guesses(0, 9)
    assert (guess.network, guess.failed, guess.slowed) == ("192.0.2.9", 1, 0)


async def test_client_that_says_nothing_of_itself_is_no_further_one(storage: SqliteStorage) -> None:
    seen = SeenClients()
    seen.note(1, "192.0.2.1", "", "", NOW_US)
    await SeenWriter(seen, storage, UTC).write()
    assert [row.family for row in await storage.reading().technical_data.agents(ALL, 9)] == ["none"]


async def test_use_counts_for_the_day_in_the_zone_of_the_books(storage: SqliteStorage) -> None:
    seen = SeenClients()
    late_us = (NOW_US // DAY_US) * DAY_US + 23 * 3600 * 1_000_000
    seen.note(1, "192.0.2.1", "", "", late_us)
    await SeenWriter(seen, storage, Calendar("Europe/Berlin")).write()
    assert [row.day for row in await storage.reading().technical_data.addresses(ALL, 9)] == [NOW_US // DAY_US + 1]


async def test_group_that_cannot_be_written_is_written_later_and_counts_once(
    storage: SqliteStorage, caplog: pytest.LogCaptureFixture
) -> None:
    seen, failing = SeenClients(), Failing(storage)
    writer = SeenWriter(seen, failing, UTC)  # type: ignore[arg-type]
    for at in range(450):
        seen.note(at % 2 + 1, f"10.0.{at // 250}.{at % 250}", "curl/8", "", NOW_US)
    await writer.write()
    assert [record.__dict__["error"] for record in caplog.records] == ["FailureError"]
    assert await storage.reading().technical_data.addresses(ALL, 9) == []
    failing.fails = False
    seen.note(1, "10.0.0.0", "curl/8", "", NOW_US + 1)
    await writer.write()
    rows = await storage.reading().technical_data.addresses(ALL, 999)
    assert sum(row.requests for row in rows) == 451 and len(rows) == 450


async def test_close_writes_what_is_left_and_waits_for_it(storage: SqliteStorage) -> None:
    seen = SeenClients()
    writer = SeenWriter(seen, storage, UTC, every_s=3600)
    running = asyncio.ensure_future(writer.run())
    await asyncio.sleep(0)
    seen.note(1, "192.0.2.1", "curl/8", "", NOW_US)
    await writer.close()
    await running
    assert len(await storage.reading().technical_data.addresses(ALL, 9)) == 1


async def test_run_writes_again_and_again(storage: SqliteStorage) -> None:
    seen = SeenClients()
    writer = SeenWriter(seen, storage, UTC, every_s=0.001)
    running = asyncio.ensure_future(writer.run())
    seen.note(1, "192.0.2.1", "curl/8", "", NOW_US)
    async with asyncio.timeout(20):
        while not await storage.reading().technical_data.addresses(ALL, 9):
            await asyncio.sleep(0)
    await writer.close()
    await running


async def test_close_ends_after_a_failure_of_the_writer(storage: SqliteStorage) -> None:
    broken: Any = None
    seen = SeenClients()
    writer = SeenWriter(seen, broken, UTC)
    seen.note(1, "192.0.2.1", "", "", NOW_US)
    running = asyncio.ensure_future(writer.run())
    await writer.close()
    with pytest.raises(AttributeError):
        await running


async def test_old_technical_data_is_removed_at_the_start_and_daily(
    storage: SqliteStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with storage.writing() as unit:
        for age_days in (1, 91):
            at_us = NOW_US - age_days * DAY_US
            await unit.security_events.add(SecurityEvent(0, at_us, None, "sign_in_failed", "203.0.113.9", ""))
            await unit.technical_data.note(SeenGroup([KeyAddress(1, at_us // DAY_US, "192.0.2.1", at_us, at_us, 1)]))
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        raise asyncio.CancelledError

    monkeypatch.setattr(asyncio, "sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        await technical_data.watch_age(storage, 90)
    monkeypatch.undo()
    assert waits == [86_400]
    assert len(await storage.reading().security_events.list(None, 10)) == 1
    assert len(await storage.reading().technical_data.addresses(ALL, 9)) == 1


async def test_failure_to_remove_is_logged_by_its_class_and_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tries: list[int] = []

    async def purge(storage: Any, days: int) -> None:
        tries.append(days)
        raise FailureError("the disk is full")

    async def sleep(seconds: float) -> None:
        if len(tries) == 2:
            raise asyncio.CancelledError

    monkeypatch.setattr(technical_expiry, "purge_old", purge)
    monkeypatch.setattr(asyncio, "sleep", sleep)
    nothing: Any = None
    with pytest.raises(asyncio.CancelledError):
        await technical_data.watch_age(nothing, 7)
    assert tries == [7, 7]
    assert [record.__dict__["error"] for record in caplog.records] == ["FailureError", "FailureError"]

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.books import NOW_US, StoppedClock, make_database

from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.domain.core.errors import ConflictError, FailureError
from softix_proxy.domain.instance.backups import BackupTally, MadeBackup
from softix_proxy.jobs import backups as job
from softix_proxy.operations.instance import backups
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.unit import SqliteStorage

HOUR_US = 3600 * SECOND_US


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await make_database(tmp_path, StoppedClock()).open()
    yield opened
    await opened.close()


def made(at_us: int = NOW_US) -> MadeBackup:
    return MadeBackup(Path("/backup/x"), at_us, 5, "ab", 27, False, 1)


async def test_backup_is_made_when_one_is_due_and_not_before(database: Database) -> None:
    storage, tally, calls = SqliteStorage(database), BackupTally(), 0

    def make() -> MadeBackup:
        nonlocal calls
        calls += 1
        return made(database.clock.now_us())

    for _ in range(3):
        await job.look(storage, make, 24, tally)
    assert (calls, tally.made, tally.last_at_us) == (1, 1, NOW_US)
    database.clock.us += 24 * HOUR_US  # type: ignore[attr-defined]
    await job.look(storage, make, 24, tally)
    assert (calls, tally.last_at_us) == (2, NOW_US + 24 * HOUR_US)


async def test_age_of_a_backup_that_another_process_made_is_known(database: Database) -> None:
    storage, tally = SqliteStorage(database), BackupTally()
    await job.look(storage, None, 24, tally)
    assert tally.last_at_us is None
    await backups.record(storage, made())
    await job.look(storage, None, 24, tally)
    assert (tally.last_at_us, tally.made) == (NOW_US, 0)


async def test_backup_that_fails_is_counted_and_tried_again(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    storage, tally, calls = SqliteStorage(database), BackupTally(), 0

    def make() -> MadeBackup:
        nonlocal calls
        calls += 1
        raise FailureError("the disk is full", "make room")

    for _ in range(2):
        await job.look(storage, make, 24, tally)
    assert (calls, tally.failures, tally.made) == (2, 2, 0)
    assert "could not make a backup: the disk is full; make room" in caplog.text


async def test_backup_that_another_process_makes_is_no_failure(database: Database) -> None:
    tally = BackupTally()

    def make() -> MadeBackup:
        raise ConflictError("another process makes a backup", "wait")

    await job.look(SqliteStorage(database), make, 24, tally)
    assert (tally.failures, tally.made) == (0, 0)


async def test_watch_looks_until_it_is_cancelled(database: Database) -> None:
    tally, enough = BackupTally(), asyncio.Event()

    def make() -> MadeBackup:
        if tally.made == 2:
            database.loop.call_soon_threadsafe(enough.set)  # type: ignore[attr-defined]
        return made(database.clock.now_us() - HOUR_US)

    database.loop = asyncio.get_running_loop()  # type: ignore[attr-defined]
    task = asyncio.create_task(job.watch(SqliteStorage(database), make, 0.5, tally, 0.001))
    async with asyncio.timeout(10):
        await enough.wait()
    task.cancel()
    await asyncio.wait([task])

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.books import StoppedClock, make_database

from softix_proxy.domain.core.errors import FailureError, UnusableError
from softix_proxy.storage.sqlite.core import engine
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.core.engine import DatabaseError, IntegrityError
from softix_proxy.storage.sqlite.core.writer_queue import NAMES, WriteTurn


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(make_database(tmp_path).path, StoppedClock(), busy_timeout_ms=0)
    await database.open()
    yield database
    await database.close()


async def test_database_files_with_any_umask_are_readable_by_the_owner_only(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        database = Database(tmp_path / "softix.db", StoppedClock())
        assert database.create() != [] and database.create() == []
        async with database.transaction() as session:
            await session.run("INSERT INTO instance VALUES ('a', x'00')")
            modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    finally:
        os.umask(before)
    files = ("softix.db", "softix.db-wal", "softix.db-shm", "softix.db-turn", "softix.db-turn-next")
    assert modes == dict.fromkeys(files, 0o600)


async def test_database_open_without_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FailureError, match="there is no database") as failure:
        await Database(tmp_path / "softix.db", StoppedClock()).open()
    assert failure.value.remedy.startswith("run: softix init") and "backup" in failure.value.remedy


async def test_database_open_with_a_foreign_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "softix.db"
    path.write_bytes(b"prompts and answers, perhaps" * 100)
    with pytest.raises(FailureError, match="is not a softix database") as failure:
        await Database(path, StoppedClock()).open()
    assert failure.value.__suppress_context__ and "perhaps" not in repr(failure.value)


async def test_database_create_without_the_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FailureError, match="cannot be opened"):
        Database(tmp_path / "none" / "softix.db", StoppedClock()).create()


async def test_transaction_while_another_holds_the_lock_is_refused(database: Database) -> None:
    other = database.connect()
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(FailureError, match="locked"):
        async with database.transaction():
            raise AssertionError("it got the lock")
    other.execute("ROLLBACK")
    other.close()


async def test_failed_statement_raises_an_error_without_its_values(database: Database) -> None:
    for run in (database.session.all, database.session.run):
        with pytest.raises(FailureError) as failure:
            await run("SELECT no_such_column FROM users WHERE name = ?", "canary")
        assert "canary" not in f"{failure.value!r}{failure.value.remedy}" and failure.value.__suppress_context__


async def test_broken_constraint_inside_a_transaction_raises_an_integrity_error(database: Database) -> None:
    with pytest.raises(FailureError):
        async with database.transaction() as session:
            with pytest.raises(IntegrityError):
                await session.run("INSERT INTO wallets VALUES (99, 0, 0, 0)")
            await session.run("INSERT INTO wallets VALUES (99, 0, 0, 0)")


@pytest.mark.parametrize("error", [RuntimeError("x"), KeyboardInterrupt()])
async def test_transaction_after_an_error_is_rolled_back(database: Database, error: BaseException) -> None:
    with pytest.raises(type(error)):
        async with database.transaction() as session:
            await session.run("UPDATE wallets SET credit_pico = 5")
            raise error
    assert await database.session.one("SELECT sum(credit_pico) FROM wallets") == (0,)
    async with database.transaction() as session:  # the lock is free again
        assert await session.run("UPDATE wallets SET credit_pico = 5") == 2
    assert await database.session.one("SELECT sum(credit_pico) FROM wallets") == (10,)


async def test_read_transaction_during_a_write_sees_one_snapshot(database: Database) -> None:
    count = "SELECT count(*) FROM instance WHERE name = 'a'"
    async with database.transaction(writes=False) as session:
        before = await session.one(count)
        async with database.transaction() as writing:
            await writing.run("INSERT INTO instance VALUES ('a', x'00')")
        assert await session.one(count) == before
    assert await database.session.one(count) == (1,)
    assert await database.session.one("SELECT 1 WHERE 0") is None


async def test_database_with_a_moved_file_refuses_reads_and_writes(database: Database) -> None:
    away = database.path.with_name("away.db")
    database.path.rename(away)

    async def write() -> None:
        async with database.transaction():
            raise AssertionError("it began")

    for use in (lambda: database.session.all("SELECT 1"), lambda: database.session.run("SELECT 1"), write):
        with pytest.raises(UnusableError, match="no longer there") as failure:
            await use()
        assert failure.value.code == "DATABASE_MOVED"
    for connect in (database.connect, database.connect_in_turn):
        with pytest.raises(DatabaseError):
            connect()
    assert not database.path.exists()
    away.rename(database.path)
    assert await database.session.one("SELECT 1") == (1,)


def test_database_connect_without_a_file_creates_nothing(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError):
        Database(tmp_path / "softix.db", StoppedClock()).connect()
    assert not list(tmp_path.iterdir())


async def test_read_transaction_without_a_usable_turn_file_succeeds(tmp_path: Path) -> None:
    made = make_database(tmp_path)
    for name in NAMES:
        file = Path(f"{made.path}{name}")
        file.unlink(missing_ok=True)
        file.mkdir()  # it can be neither opened nor made
    database = await Database(made.path, StoppedClock()).open()
    assert await database.session.one("SELECT count(*) FROM users") == (2,)
    async with database.transaction(writes=False) as session:
        assert await session.one("SELECT count(*) FROM users") == (2,)
    with pytest.raises(UnusableError, match="cannot use"):
        async with database.transaction():
            raise AssertionError("it began")
    await database.close()


async def test_write_transaction_waits_for_its_turn_and_gives_it_back(database: Database) -> None:
    other = WriteTurn(database.path, 10)
    other.take()
    with pytest.raises(UnusableError, match="locked"):
        async with database.transaction():
            raise AssertionError("it was not its turn")
    async with database.transaction(writes=False) as session:  # who reads needs none
        assert await session.one("SELECT 1") == (1,)
    other.give()
    async with database.transaction():
        pass
    other.take()
    other.close()


async def test_transaction_cancelled_while_connecting_closes_the_connection(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, go_on, loop = asyncio.Event(), threading.Event(), asyncio.get_running_loop()
    connect, made = database.connect, list[engine.SqliteConnection]()

    def slowly() -> engine.SqliteConnection:
        loop.call_soon_threadsafe(began.set)
        go_on.wait(30)
        made.append(connect())
        return made[0]

    async def transact() -> None:
        async with database.transaction():
            raise AssertionError

    monkeypatch.setattr(database, "connect", slowly)
    task = asyncio.create_task(transact())
    await began.wait()
    task.cancel()
    loop.call_soon(loop.call_soon, go_on.set)
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(DatabaseError, match="closed"):
        made[0].execute("SELECT 1")


def test_database_session_before_open_raises_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        _ = Database(tmp_path / "softix.db", StoppedClock()).session


def test_database_create_with_an_affected_library_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "version", lambda: (3, 40, 1))
    with pytest.raises(FailureError, match="can lose"):
        Database(tmp_path / "softix.db", StoppedClock()).create()
    assert not list(tmp_path.iterdir())

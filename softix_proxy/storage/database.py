"""One database file: opened, migrated, read through aiosqlite, written in short immediate transactions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any, cast

import aiosqlite

from softix_proxy.domain.clock import Clock
from softix_proxy.domain.errors import FailureError, OperatorError
from softix_proxy.storage import engine_sqlite, migrations
from softix_proxy.storage.engine_sqlite import Connection, DatabaseError, IntegrityError

Row = tuple[Any, ...]


class Session:
    """A connection for one reader, or for one transaction. Every statement of the nouns goes through here."""

    def __init__(self, connection: aiosqlite.Connection, clock: Clock, path: Path | None = None) -> None:
        self._connection = connection
        self.clock = clock
        self._path = path

    async def run(self, statement: str, *values: object) -> int:
        """Executes; returns the id of the inserted row, or else the number of rows changed.

        Raises IntegrityError where a rule of the schema forbids it, else FailureError.
        """
        with _told(self._path):
            cursor = await self._connection.execute(statement, values)
        inserted = statement.lstrip()[:6].upper() == "INSERT"
        return int((cursor.lastrowid if inserted else cursor.rowcount) or 0)

    async def all(self, statement: str, *values: object) -> Sequence[Row]:
        with _told(self._path):
            return cast(Sequence[Row], await self._connection.execute_fetchall(statement, values))

    async def one(self, statement: str, *values: object) -> Row | None:
        rows = await self.all(statement, *values)
        return rows[0] if rows else None


class Database:
    """Opens the file for use. Reads go on while others write; a transaction takes the write lock at once."""

    def __init__(self, path: Path, clock: Clock, busy_timeout_ms: int = 5000) -> None:
        self.path = path
        self.clock = clock
        self._busy_timeout_ms = busy_timeout_ms
        self._session: Session | None = None
        self._connection: aiosqlite.Connection | None = None

    def connect(self) -> Connection:
        """A raw connection, for the writer's and the checkpointer's threads."""
        return engine_sqlite.connect(self.path, busy_timeout_ms=self._busy_timeout_ms)

    def create(self) -> list[str]:
        """Makes the file if need be (mode 0600) and applies what migrations are missing; returns their names."""
        engine_sqlite.require_sound()
        try:
            if not self.path.exists():
                self.path.touch(mode=0o600)
            connection = self.connect()
            try:
                return migrations.migrate(connection)
            finally:
                connection.close()
        except (OSError, DatabaseError) as error:
            raise unusable(self.path, error) from None

    async def open(self) -> Database:
        """Raises FailureError where there is no database, it is too new or too old, or it cannot be read."""
        if not self.path.exists():
            raise FailureError(f"there is no database at {self.path}", "run: softix init")
        self.create()
        try:
            self._connection = await self._opened()
        except (OSError, DatabaseError) as error:
            raise unusable(self.path, error) from None
        self._session = Session(self._connection, self.clock, self.path)
        return self

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()
            self._connection = self._session = None

    async def _opened(self) -> aiosqlite.Connection:
        """Waited for even by who is cancelled: else its thread would outlive the event loop."""
        opening = asyncio.ensure_future(aiosqlite.Connection(self.connect, iter_chunk_size=64))
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            with suppress(OSError, DatabaseError):
                await (await opening).close()
            raise

    @property
    def session(self) -> Session:
        """For reads."""
        if self._session is None:
            raise RuntimeError("the database is not open")
        return self._session

    @asynccontextmanager
    async def transaction(self, *, writes: bool = True, keeps: bool = True) -> AsyncIterator[Session]:
        """All of it or nothing, on a connection of its own; nothing at all where it does not keep what it writes.

        One that writes takes the lock at once, so that what it reads cannot change; one that reads sees one moment.
        """
        try:
            connection = await self._opened()
            try:
                await connection.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
                yield Session(connection, self.clock, self.path)  # if it raises, the close rolls back
                await connection.execute("COMMIT" if keeps else "ROLLBACK")
            finally:
                await connection.close()
        except DatabaseError as error:
            raise unusable(self.path, error) from None


@contextmanager
def _told(path: Path | None) -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        raise
    except DatabaseError as error:
        raise unusable(path or "the database", error) from None


def unusable(path: Path | str, error: Exception) -> OperatorError:
    remedies = {
        "locked": ("the database is locked by another program", "try again; if it stays so: softix doctor"),
        "full": ("the disk is full", "make room; nothing was changed"),
        "readonly": (f"{path} cannot be written", "check its owner and mode"),
        "not a database": (f"{path} is not a softix database", "restore a backup, or name another --data-dir"),
        "malformed": (f"{path} is damaged", "run: softix doctor; restore a backup"),
    }
    text = str(error) if isinstance(error, DatabaseError) else ""
    for mark, (message, remedy) in remedies.items():
        if mark in text:
            return FailureError(message, remedy)
    return FailureError(f"cannot use {path}: {type(error).__name__}", "check that the folder exists and is writable")

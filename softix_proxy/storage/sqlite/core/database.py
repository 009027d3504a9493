"""One database file.

It is made and opened here, read through aiosqlite, and written in short immediate transactions.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import aiosqlite

from softix_proxy.domain.core.calendar import Calendar, calendar
from softix_proxy.domain.core.clock import Clock
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.instance import ownership
from softix_proxy.domain.privacy.technical_data import NOWHERE, CallOrigin
from softix_proxy.storage.sqlite.core import change_recorder, engine, migrations, record_mapping, schema_check, slots
from softix_proxy.storage.sqlite.core.engine import DatabaseError, IntegrityError, SqliteConnection
from softix_proxy.storage.sqlite.core.errors import unusable
from softix_proxy.storage.sqlite.core.file_identity import FileIdentity
from softix_proxy.storage.sqlite.core.numbering import NEXT_NUMBER
from softix_proxy.storage.sqlite.core.writer_queue import WriteTurn

if TYPE_CHECKING:
    import sqlite3

    from softix_proxy.storage.sqlite.core.change_recorder import ChangeRecorder, RowChange

DatabaseRow = tuple[Any, ...]
ZONE = "SELECT CAST(value AS TEXT) FROM instance WHERE name = 'zone'"
"""The zone that defines the days of daily sums and of keys. NULL means UTC."""
_MISSING = "run: softix init; or, if there was one, put it or a backup back, or name another --data-dir"


class DatabaseSession:
    """A connection for one reader or one transaction. Every statement of the stores goes through it."""

    def __init__(
        self,
        connection: aiosqlite.Connection,
        clock: Clock,
        place: FileIdentity | None = None,
        recorder: ChangeRecorder | None = None,
    ) -> None:
        self._connection = connection
        self.clock = clock
        self.origin: CallOrigin = NOWHERE
        """Where this transaction comes from."""
        self._place = place
        self._recorder = recorder

    async def run(self, statement: str, *values: object) -> int:
        """Executes a statement. Returns the id of the inserted row, or else the number of rows changed.

        Raises IntegrityError if a rule of the schema forbids it, and UnusableError for other errors.
        """
        with _told(self._place):
            if statement.lstrip()[:6].upper() == "INSERT":
                inserted = await self._connection.execute_insert(statement, values)
                return int(inserted[0]) if inserted else 0
            await self._connection.execute_fetchall(statement, values)
            [(changed,)] = await self._connection.execute_fetchall("SELECT changes()")
            return int(changed)

    async def insert(self, table: str, values: Mapping[str, object]) -> int:
        """Inserts `values`, which are given by column, and returns the id. Raises the same errors as `run`."""
        return await self.run(record_mapping.insert(table, tuple(values)), *values.values())

    async def update(self, table: str, values: Mapping[str, object], where: str, *more: object) -> int:
        """Returns the number of rows changed. Raises the same errors as `run`."""
        return await self.run(record_mapping.update(table, tuple(values), where), *values.values(), *more)

    async def all(self, statement: str, *values: object) -> Sequence[DatabaseRow]:
        with _told(self._place):
            rows = await self._connection.execute_fetchall(statement, values)
        return cast(Sequence[DatabaseRow], rows)  # aiosqlite promises an iterable but returns a list

    async def one(self, statement: str, *values: object) -> DatabaseRow | None:
        rows = await self.all(statement, *values)
        return rows[0] if rows else None

    async def next_number(self) -> int:
        """Returns the number of a posting that is made now, in this transaction."""
        [(number,)] = await self.all(NEXT_NUMBER, self.clock.now_us())
        return int(number)

    async def recorded(self) -> Sequence[RowChange]:
        """Returns the rows that this transaction has changed so far, in the tables that it was told to record."""
        if self._recorder is None:
            raise RuntimeError("this transaction records no changes")
        with _told(self._place):
            return await asyncio.to_thread(self._recorder.changes)

    async def calendar(self) -> Calendar:
        """Returns the calendar by which days and the spending of keys are summed."""
        [(zone,)] = await self.all(f"SELECT ({ZONE})")
        return calendar(zone or "UTC")


class Database:
    """Opens the file for use.

    Reads continue while others write. A transaction that writes takes the write lock at once.
    """

    def __init__(self, path: Path, clock: Clock, busy_timeout_ms: int = 5000) -> None:
        self.path = path
        self.clock = clock
        self._busy_timeout_ms = busy_timeout_ms
        self.place = FileIdentity(path)
        self._session: DatabaseSession | None = None
        self._connection: aiosqlite.Connection | None = None

    def connect(self) -> SqliteConnection:
        """Returns a raw connection, for the threads of the writer and the checkpointer.

        Raises DatabaseError. It never makes a file, and it touches only the one that was opened first.
        """
        self.place.check()
        connection = engine.connect(self.path, busy_timeout_ms=self._busy_timeout_ms)
        try:
            self.place.check()
        except DatabaseError:
            connection.close()
            raise
        return connection

    def turn(self) -> WriteTurn:
        """Returns a turn for one writer. Raises OSError."""
        return WriteTurn(self.path, self._busy_timeout_ms / 1000)

    def connect_in_turn(self) -> SqliteConnection:
        """Returns a connection for one writing transaction. It keeps its turn until it is closed. This call blocks."""
        connection = self.connect()
        try:
            self._take_turn(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _take_turn(self, connection: SqliteConnection) -> None:
        connection.turn = self.turn()
        connection.turn.take()

    def create(self) -> list[str]:
        """Makes the file if it is missing (mode 0600), and the schema in an empty one. Returns the names of the steps.

        An older database stays as it is; `upgrade` migrates it. Raises FailureError.
        """
        engine.require_sound()
        with _told(self.place):
            if not self.path.exists():
                os.close(ownership.open_or_make(self.path, self.path.parent))
            with closing(self.connect()) as connection:
                version = migrations.current(connection)
                if not version:
                    self._take_turn(connection)
                    return migrations.migrate(connection)
                migrations.require_latest(version)
                return []

    def version(self) -> int:
        """Returns the database's schema version, or 0 if it is empty. Raises FailureError."""
        if not self.path.exists():
            raise FailureError(f"there is no database at {self.path}", _MISSING)
        engine.require_sound()
        with _told(self.place), closing(self.connect()) as connection:
            return migrations.current(connection)

    def require_latest(self) -> None:
        """Raises FailureError if there is no database, or if its schema is another one. It migrates nothing."""
        migrations.require_latest(self.version())

    def require_same_schema(self) -> None:
        """Raises FailureError if the schema is not the one that this program's migrations make. It blocks."""
        with _told(self.place):
            schema_check.require_same(self.path)

    @contextmanager
    def occupied(self, *, admits: bool = True) -> Iterator[int]:
        """Holds a slot that nobody else has, so that nobody migrates the database under a process that works on it.

        `admits` says whether the process admits requests. Raises FailureError.
        """
        slot = slots.acquire(self.path, admits=admits)
        try:
            self.require_latest()  # it may have been migrated since it was opened; from now on it cannot be
            yield slot.number
        finally:
            slot.release()

    async def open(self) -> Database:
        """Opens the database.

        Raises FailureError if there is no database, if it is too new or too old, or if it cannot be read.
        """
        self.require_latest()
        with _told(self.place):
            self._connection = await self._opened(self.connect)
            self.place.remember()
        self._session = DatabaseSession(self._connection, self.clock, self.place)
        return self

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()
            self._connection = self._session = None

    async def _opened(self, connect: Callable[[], SqliteConnection]) -> aiosqlite.Connection:
        """Opens a connection, and waits for it even if the caller is cancelled.

        Otherwise its thread would outlive the event loop and keep its turn.
        """
        connector = cast("Callable[[], sqlite3.Connection]", connect)  # aiosqlite uses no more than our connection has
        opening = asyncio.ensure_future(aiosqlite.Connection(connector, iter_chunk_size=64))
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            with suppress(OSError, DatabaseError):
                await (await opening).close()
            raise

    @property
    def session(self) -> DatabaseSession:
        """The session for reads."""
        if self._session is None:
            raise RuntimeError("the database is not open")
        return self._session

    @asynccontextmanager
    async def transaction(
        self, *, writes: bool = True, keeps: bool = True, recorded: Collection[str] = ()
    ) -> AsyncIterator[DatabaseSession]:
        """Runs a transaction on a connection of its own. All of it takes effect, or nothing.

        If it does not `keep` its writes, they are rolled back. A writing transaction takes its turn and the lock at
        once, so that the rows it reads cannot change. A reading one sees the database at one moment. `recorded` names
        the tables whose changes the session can tell.
        """
        recorders: list[ChangeRecorder] = []

        def connect() -> SqliteConnection:
            made = self.connect_in_turn() if writes else self.connect()
            if recorded:
                recorders.append(change_recorder.record(made, recorded))
            return made

        try:
            connection = await self._opened(connect)
            try:
                await connection.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
                recorder = recorders[0] if recorders else None
                session = DatabaseSession(connection, self.clock, self.place, recorder)
                yield session  # if this raises, the close rolls back
                await connection.execute("COMMIT" if keeps else "ROLLBACK")
            finally:
                await connection.close()
        except (OSError, DatabaseError) as error:
            raise unusable(self.path, error) from None


@contextmanager
def _told(place: FileIdentity | None) -> Iterator[None]:
    try:
        if place is not None:
            place.check()
        yield
    except IntegrityError:
        raise
    except (OSError, DatabaseError) as error:
        raise unusable("the database" if place is None else place.path, error) from None

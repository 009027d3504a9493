"""Inspects the database file from outside. It writes nothing, migrates nothing and makes no writer wait."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.metering.settlement import Orphan
from softix_proxy.storage.sqlite.core import engine, migrations, schema_check, slots, writer_queue
from softix_proxy.storage.sqlite.core.database import Database, DatabaseSession
from softix_proxy.storage.sqlite.core.engine import DatabaseError, SqliteConnection
from softix_proxy.storage.sqlite.core.errors import unusable
from softix_proxy.storage.sqlite.core.numbering import LAST_POSTED
from softix_proxy.storage.sqlite.write_path import orphans

_SHOWN = 10


class ReadOnlyDatabase(Database):
    """The file as it is, even if it is damaged or of another version. Opening it never fails, but reading may."""

    def connect(self) -> SqliteConnection:
        return engine.connect(self.path, busy_timeout_ms=self._busy_timeout_ms, read_only=True)

    async def open(self) -> Database:
        try:
            self.connect().close()  # a thread of aiosqlite that cannot connect may log an error later
        except DatabaseError:
            return self
        self._connection = await self._opened(self.connect)
        self._session = DatabaseSession(self._connection, self.clock)
        return self

    @property
    def session(self) -> DatabaseSession:
        """The session for reads. Raises FailureError if the file is missing or cannot be opened."""
        if self._session is None:
            raise FailureError("the database cannot be opened", "see what the check of the database says")
        return self._session


class DatabaseInspection:
    """Implements doctor.check_context.DatabaseHealth.

    Each method has a connection of its own, so they can run at once.
    """

    def __init__(self, database: ReadOnlyDatabase) -> None:
        self._database = database
        self.path = database.path

    def library(self) -> tuple[str, str]:
        affected = engine.is_affected(engine.version())
        return engine.name(), engine.remedy() if affected else ""

    def schema(self) -> tuple[int, int]:
        with self._connection() as connection:
            return migrations.current(connection), migrations.latest()

    def schema_faults(self) -> Sequence[tuple[str, str]]:
        with self._connection() as connection:
            told = [(each.message, schema_check.REMEDY) for each in schema_check.differences(connection) if each.breaks]
            edited = "the migration {} ran with another text than it has now"
            return [*told, *((edited.format(name), schema_check.REMEDY) for name in schema_check.edited(connection))]

    def damage(self) -> Sequence[str]:
        with self._connection() as connection:
            rows = connection.execute(f"PRAGMA integrity_check({_SHOWN})").fetchall()
        lines = [line for row in rows for line in str(row[0]).splitlines()]
        return [line for line in lines if line != "ok" and not line.startswith("***")]

    def dangling(self) -> Sequence[str]:
        with self._connection() as connection:
            return sorted({str(row[0]) for row in connection.execute("PRAGMA foreign_key_check")})

    def journal_mode(self) -> str:
        with self._connection() as connection:
            return str(connection.execute("PRAGMA journal_mode").fetchone()[0])

    def log_bytes(self) -> int:
        log = self._beside("-wal")
        return log.stat().st_size if log.exists() else 0

    def last_posted_us(self) -> int:
        with self._connection() as connection:
            return int(connection.execute(LAST_POSTED).fetchone()[0])

    def abandoned(self) -> Sequence[Orphan]:
        with self._failures():
            return orphans.find(self._database, None)

    def files(self) -> Sequence[Path]:
        places = (self.path, *(self._beside(end) for end in ("-wal", "-shm", "-slots", *writer_queue.NAMES)))
        backups = sorted(self.path.parent.glob(f"{glob.escape(self.path.name)}-schema-*"))
        try:
            slot_files = slots.files(self.path)
        except FailureError:  # the folder belongs to another user, which another finding reports
            slot_files = []
        return [*(place for place in places if place.exists()), *slot_files, *backups]

    def _beside(self, end: str) -> Path:
        return self.path.with_name(self.path.name + end)

    @contextmanager
    def _connection(self) -> Iterator[SqliteConnection]:
        with self._failures():
            connection = self._database.connect()
            try:
                yield connection
            finally:
                connection.close()

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """Raises FailureError for everything that SQLite cannot read.

        It omits SQLite's words, because they may quote the file.
        """
        try:
            yield
        except DatabaseError as error:
            reason = engine.code_of(error)
            if reason.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
                raise FailureError(f"{self.path} is damaged ({reason})", "restore the latest backup") from None
            raise unusable(self.path, error) from None

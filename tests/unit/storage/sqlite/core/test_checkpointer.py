import threading
from pathlib import Path

import pytest
from support.books import make_database

from softix_proxy.storage.sqlite.core.checkpointer import Checkpointer
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.core.engine import SqliteConnection

WAIT_S = 10


class Watched(Database):
    """Tells when its log was worked off."""

    def __init__(self, database: Database) -> None:
        super().__init__(database.path, database.clock)
        self.worked_off = threading.Event()

    def connect(self) -> SqliteConnection:
        connection = super().connect()
        connection.exec_trace = self._trace
        return connection

    def _trace(self, cursor: object, statement: str, values: object) -> bool:
        if "wal_checkpoint" in statement:
            self.worked_off.set()
        return True


def test_checkpointer_with_a_long_log_writes_it_to_the_database(tmp_path: Path) -> None:
    made = make_database(tmp_path)
    books = made.connect()
    books.execute("INSERT INTO instance VALUES ('x', zeroblob(100000))")
    database = Watched(made)
    checkpointer = Checkpointer(database, pages=10, interval_s=0.001)
    assert database.worked_off.wait(WAIT_S)
    checkpointer.close()
    busy, log_pages, moved_pages = books.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    assert (busy, moved_pages) == (0, log_pages)
    books.close()


def test_checkpointer_with_a_short_log_leaves_it(tmp_path: Path) -> None:
    made = make_database(tmp_path)
    database = Watched(made)
    checkpointer = Checkpointer(database, pages=1_000_000, interval_s=0.001)
    assert not database.worked_off.wait(0.05)
    checkpointer.close()
    assert not checkpointer._thread.is_alive()


def test_checkpointer_with_a_moved_database_leaves_the_log_and_reports_it_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = make_database(tmp_path)
    books = made.connect()
    books.execute("INSERT INTO instance VALUES ('x', zeroblob(100000))")
    database = Watched(made)
    database.place.remember()
    away = made.path.with_name("away.db")
    made.path.rename(away)
    checkpointer = Checkpointer(database, pages=10, interval_s=0.001)
    assert not database.worked_off.wait(0.05)
    assert [record.error for record in caplog.records] == ["DATABASE_MOVED"]  # type: ignore[attr-defined]
    away.rename(made.path)
    assert database.worked_off.wait(WAIT_S)
    checkpointer.close()
    books.close()

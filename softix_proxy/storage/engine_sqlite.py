"""Which SQLite library is used, and how a connection to it is set up."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from softix_proxy.domain.errors import FailureError


def _library() -> ModuleType:
    try:
        from pysqlite3 import dbapi2
    except ImportError:
        return sqlite3
    module: ModuleType = dbapi2
    return module


LIBRARY = _library()
if TYPE_CHECKING:
    Connection = sqlite3.Connection
    DatabaseError = sqlite3.Error
    IntegrityError = sqlite3.IntegrityError
else:
    Connection, DatabaseError, IntegrityError = LIBRARY.Connection, LIBRARY.Error, LIBRARY.IntegrityError
_CACHED_STATEMENTS = 512
"""The hot path has one for each size of a group; to compile one costs as much as a request."""
_FIRST_FIXED = (3, 51, 3)
_BACKPORTS = ((3, 50, 7), (3, 44, 6))


def version() -> tuple[int, ...]:
    return tuple(int(part) for part in LIBRARY.sqlite_version.split("."))


def is_affected(version: tuple[int, ...]) -> bool:
    """Whether this SQLite may lose committed rows when one connection commits while another begins a checkpoint.

    https://www.sqlite.org/wal.html#walresetbug: 3.7.0 to 3.51.2; also fixed in 3.50.7 and 3.44.6.
    """
    if any(version[:2] == fixed[:2] and version >= fixed for fixed in _BACKPORTS):
        return False
    return (3, 7, 0) <= version < _FIRST_FIXED


def require_sound() -> None:
    """Raises FailureError if the SQLite in use has the WAL-reset bug."""
    if is_affected(version()):
        raise FailureError(
            f"SQLite {LIBRARY.sqlite_version} can lose committed rows (WAL-reset bug)",
            "pip install 'pysqlite3>=0.6', or use a Python built with SQLite 3.51.3 or newer",
        )


def connect(path: Path, *, busy_timeout_ms: int = 5000) -> Connection:
    """A connection in autocommit mode, usable from any one thread at a time.

    Commits are synced to the disk (FULL), deleted content is overwritten, and checkpoints are left to a thread of
    their own (see `checkpointer`), so that no commit waits for one.
    """
    connection: Connection = LIBRARY.connect(
        path,
        isolation_level=None,
        check_same_thread=False,
        timeout=busy_timeout_ms / 1000,
        cached_statements=_CACHED_STATEMENTS,
    )
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "fullfsync = ON",
        "foreign_keys = ON",
        "secure_delete = ON",
        "temp_store = MEMORY",
        "trusted_schema = OFF",
        "wal_autocheckpoint = 0",
    ):
        connection.execute(f"PRAGMA {pragma}")
    return connection

"""Which SQLite library is used, and how a connection to it is set up."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from softix_proxy.domain.core.errors import FailureError

REQUIREMENT = "apsw>=3.54.1"
"""Its wheels carry an SQLite of their own, of this version, for Linux (glibc and musl) and macOS on both processors."""


def remedy() -> str:
    """A wheel and nothing else: what is built from source may stand on the system's SQLite, the one at fault."""
    pip = (sys.executable, "-m", "pip", "install", "--force-reinstall", "--no-deps", "--only-binary", "apsw")
    return f"run: {shlex.join((*pip, REQUIREMENT))}"


try:
    import apsw
except ImportError:
    raise FailureError("the SQLite that softix needs is not installed", remedy()) from None

DatabaseError = apsw.Error
IntegrityError = apsw.ConstraintError
BusyError = apsw.BusyError
_CACHED_STATEMENTS = 512
"""The hot path has one for each size of a group; to compile one costs as much as a request."""
MOST_CACHED_BYTES = 16_000
"""apsw compiles a statement longer than 16,384 bytes anew each time."""
_FIRST_FIXED = (3, 51, 3)
_BACKPORTS = ((3, 50, 7), (3, 44, 6))
_WRITABLE = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "fullfsync = ON",
    "foreign_keys = ON",
    "secure_delete = ON",
    "temp_store = MEMORY",
    "trusted_schema = OFF",
    "wal_autocheckpoint = 0",
)
_READ_ONLY = ("temp_store = MEMORY", "trusted_schema = OFF")


class _Closable(Protocol):
    def close(self) -> None: ...


class SqliteConnection(apsw.Connection):
    """In autocommit mode, usable from any one thread at a time. Its close rolls back what was not committed."""

    turn: _Closable | None = None
    """Given up when the connection is closed, after the lock on the database."""

    if TYPE_CHECKING:  # which columns a row has is known to the statement only

        def execute(self, statement: str, values: Any = None, /) -> Any: ...  # type: ignore[override] # apsw's own asks for fewer types than it takes

    def close(self, force: bool = False) -> None:
        try:
            super().close(force)
        finally:
            turn, self.turn = self.turn, None
            if turn is not None:
                turn.close()


def name() -> str:
    return f"SQLite {apsw.sqlite_lib_version()}"


def version() -> tuple[int, ...]:
    return tuple(int(part) for part in apsw.sqlite_lib_version().split("."))


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
        raise FailureError(f"{name()} can lose committed rows (WAL-reset bug)", remedy())


def connect(
    path: Path, *, busy_timeout_ms: int = 5000, read_only: bool = False, make: bool = False
) -> SqliteConnection:
    """A file that is not there is an error, and none is made unless it is asked for.

    Commits are synced to the disk (FULL), deleted content is overwritten, and checkpoints are left to a thread of
    their own (see `checkpointer`), so that no commit waits for one.
    """
    flags = apsw.SQLITE_OPEN_READONLY if read_only else apsw.SQLITE_OPEN_READWRITE
    if make:
        flags |= apsw.SQLITE_OPEN_CREATE
    connection = SqliteConnection(str(path), flags=flags, statementcachesize=_CACHED_STATEMENTS)
    try:
        connection.set_busy_timeout(busy_timeout_ms)
        for pragma in _READ_ONLY if read_only else _WRITABLE:
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()
        raise
    return connection


def back_up(source: SqliteConnection, target: Path) -> None:
    """A copy of the whole database as of one moment, in one file; writers go on meanwhile."""
    copy = SqliteConnection(str(target))
    try:
        with copy.backup("main", source, "main") as backup:
            while not backup.done:
                backup.step(-1)
    finally:
        copy.close()


def code_of(error: Exception) -> str:
    """SQLite's own name for what happened, as `SQLITE_IOERR_WRITE`; else the name of the exception."""
    if isinstance(error, BusyError):
        return "SQLITE_BUSY"  # of a lock that is not SQLite's too
    code = getattr(error, "extendedresult", apsw.SQLITE_OK)
    if code == apsw.SQLITE_OK:
        return type(error).__name__
    names = apsw.mapping_extended_result_codes if code > 0xFF else apsw.mapping_result_codes
    return str(names.get(code) or names.get(code & 0xFF) or type(error).__name__)

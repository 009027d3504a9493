"""Chooses the SQLite library, and sets up connections to it."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from softix_proxy.domain.core.errors import FailureError

REQUIREMENT = "apsw>=3.54.1"
"""The required package.

Its wheels contain SQLite of this version, for Linux (glibc and musl) and macOS on both processors.
"""


def remedy() -> str:
    """Returns the command that installs a wheel and nothing else.

    A build from source may use the system's SQLite, which is the faulty one.
    """
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
"""The statements kept compiled. The hot path has one per group size, and compiling one costs as much as a request."""
MOST_CACHED_BYTES = 16_000
"""The longest statement to use. apsw compiles a statement of more than 16,384 bytes again each time."""
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
    """A connection in autocommit mode, usable from any one thread at a time.

    Closing it rolls back uncommitted changes.
    """

    turn: _Closable | None = None
    """The turn that is given up when the connection is closed, after the lock on the database."""
    recorder: _Closable | None = None
    """What records the changes of a transaction. It ends before the connection, on the same thread."""

    if TYPE_CHECKING:  # only the statement knows which columns a row has

        def execute(self, statement: str, values: Any = None, /) -> Any: ...  # type: ignore[override] # apsw declares fewer types than it accepts

    def close(self, force: bool = False) -> None:
        try:
            recorder, self.recorder = self.recorder, None
            if recorder is not None:
                recorder.close()
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
    """Returns whether this SQLite may lose committed rows if a commit coincides with the start of a checkpoint.

    https://www.sqlite.org/wal.html#walresetbug: 3.7.0 to 3.51.2 are affected. It is also fixed in 3.50.7 and 3.44.6.
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
    """Opens a connection. A missing file is an error, and a file is made only on request.

    Commits are synced to the disk (FULL), and deleted content is overwritten. Checkpoints run on a thread of their own
    (see `checkpointer`), so that no commit waits for one.
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


def connect_copy(target: Path) -> SqliteConnection:
    """Opens a file that a backup fills. It has no journal, because a copy that is not complete is thrown away."""
    connection = SqliteConnection(str(target))
    for pragma in ("journal_mode = OFF", "synchronous = OFF"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def back_up(source: SqliteConnection, target: Path) -> None:
    """Copies the whole database as of one moment into one file. Writers continue meanwhile."""
    copy = SqliteConnection(str(target))
    try:
        with copy.backup("main", source, "main") as backup:
            while not backup.done:
                backup.step(-1)
    finally:
        copy.close()


def code_of(error: Exception) -> str:
    """Returns SQLite's own name for the error, such as `SQLITE_IOERR_WRITE`, or else the name of the exception."""
    if isinstance(error, BusyError):
        return "SQLITE_BUSY"  # this error also comes from locks that are not SQLite's
    code = getattr(error, "extendedresult", apsw.SQLITE_OK)
    if code == apsw.SQLITE_OK:
        return type(error).__name__
    names = apsw.mapping_extended_result_codes if code > 0xFF else apsw.mapping_result_codes
    return str(names.get(code) or names.get(code & 0xFF) or type(error).__name__)

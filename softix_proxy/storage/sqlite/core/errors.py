"""Names what makes the database unusable, in words for the person who has to repair it.

SQLite's own words are not shown, because they may quote the contents of the file.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from softix_proxy.domain.core.errors import UnusableError
from softix_proxy.storage.sqlite.core.engine import code_of
from softix_proxy.storage.sqlite.core.file_identity import MovedError

_TOLD: Mapping[str, tuple[str, str]] = {
    "SQLITE_FULL": ("the disk is full", "make room; nothing was changed"),
    "SQLITE_IOERR": (
        "the disk under {place} reports an error",
        "look for errors of the disk in the system's log, and for a quota or a limit on the size of files",
    ),
    "SQLITE_BUSY": ("the database is locked by another program", "try again; if it stays so, end that program"),
    "SQLITE_LOCKED": ("the database is locked by another program", "try again; if it stays so, end that program"),
    "SQLITE_READONLY": (
        "{place} cannot be written",
        "check its owner and mode, and that its file system is not mounted read-only",
    ),
    "SQLITE_CANTOPEN": ("{place} cannot be opened", "check that it is there, and its owner and mode, and its folder's"),
    "SQLITE_NOTADB": ("{place} is not a softix database", "restore a backup, or name another --data-dir"),
    "SQLITE_CORRUPT": ("{place} is damaged", "run: softix doctor; restore a backup"),
}
_SAME_AS = {
    errno.ENOSPC: "SQLITE_FULL",
    errno.EDQUOT: "SQLITE_FULL",
    errno.EIO: "SQLITE_IOERR",
    errno.EROFS: "SQLITE_READONLY",
}
"""The SQLite codes of errors that the operating system reports."""


@dataclass(frozen=True, slots=True)
class DatabaseFault:
    code: str
    """The code as SQLite names it, or DATABASE_MOVED."""
    message: str
    remedy: str


def fault_of(error: Exception, place: Path | str = "the database") -> DatabaseFault:
    """Describes a fault in words that name the file. By default, the words may be shown to anybody."""
    if isinstance(error, MovedError):
        return DatabaseFault(error.code, error.message.format(place=place), error.remedy)
    code = _SAME_AS.get(error.errno or 0, type(error).__name__) if isinstance(error, OSError) else code_of(error)
    for known, (message, remedy) in _TOLD.items():
        if code.startswith(known):
            return DatabaseFault(code, message.format(place=place), remedy)
    return DatabaseFault(code, f"cannot use {place}: {code}", "check that the folder exists and is writable")


def unusable(path: Path | str, error: Exception) -> UnusableError:
    told, shown = fault_of(error, path), fault_of(error)
    return UnusableError(told.message, told.remedy, code=told.code, reason=shown.message)

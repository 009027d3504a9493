"""Names what makes the database unusable, in words for the person who has to repair it.

SQLite's own words are not shown, because they may quote the contents of the file. Its codes do not always name the
cause: without room for its shared memory, SQLite reports an error of the disk. So the disk itself is looked at too.
"""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from softix_proxy.domain.core.errors import UnusableError
from softix_proxy.storage.sqlite.core import lock_holders
from softix_proxy.storage.sqlite.core.engine import code_of
from softix_proxy.storage.sqlite.core.file_identity import MovedError

_TOLD: Mapping[str, tuple[str, str]] = {
    "SQLITE_FULL": ("the disk is full", "make room; nothing was changed"),
    "FILE_SIZE_LIMIT": (
        "the limit on the size of files does not let {place} grow",
        "raise it: LimitFSIZE= of the service, or ulimit -f",
    ),
    "SQLITE_IOERR": (
        "the disk under {place} reports an error",
        "look for errors of the disk in the system's log, and for a quota or a limit on the size of files",
    ),
    "SQLITE_BUSY": ("the database is locked by another program", "try again; if it stays so, end that program"),
    "SQLITE_LOCKED": ("the database is locked by another program", "try again; if it stays so, end that program"),
    "READONLY_MOUNT": (
        "the file system of {place} is mounted read-only",
        "look in the system's log why, and mount it writable",
    ),
    "SQLITE_READONLY": (
        "{place} cannot be written",
        "check its owner and mode, and that its file system is not mounted read-only",
    ),
    "SQLITE_CANTOPEN": ("{place} cannot be opened", "check that it is there, and its owner and mode, and its folder's"),
    "SQLITE_NOTADB": ("{place} is not a softix database", "restore a backup, or name another --data-dir"),
    "SQLITE_CORRUPT": ("{place} is damaged", "stop softix, run: softix doctor; then restore the latest backup"),
}
_SAME_AS = {
    errno.ENOSPC: "SQLITE_FULL",
    errno.EDQUOT: "SQLITE_FULL",
    errno.EFBIG: "SQLITE_IOERR_WRITE",
    errno.EIO: "SQLITE_IOERR",
    errno.EROFS: "SQLITE_READONLY",
    errno.EACCES: "SQLITE_READONLY",
    errno.EPERM: "SQLITE_READONLY",
    errno.ENOENT: "SQLITE_CANTOPEN",
}
"""The SQLite codes of errors that the operating system reports."""
_OTHERWISE = "run: softix doctor; and look into the system's log"
_LEAST_ROOM_BYTES = 64 << 10
"""SQLite takes this much at once for its shared memory, and for the pages of a small transaction."""


@dataclass(frozen=True, slots=True)
class DatabaseFault:
    code: str
    """The code as SQLite names it, or DATABASE_MOVED."""
    message: str
    remedy: str


def fault_of(error: Exception, at: Path | None = None, place: Path | str = "the database") -> DatabaseFault:
    """Describes a fault in words that name the `place`. By default, the words may be shown to anybody.

    `at` is the file of the database, by which the cause is found if SQLite's code does not tell it.
    """
    if isinstance(error, MovedError):
        return DatabaseFault(error.code, error.message.format(place=place), error.remedy)
    code = _SAME_AS.get(error.errno or 0, type(error).__name__) if isinstance(error, OSError) else code_of(error)
    cause = code if at is None else _cause(code, at)
    if cause == "SQLITE_FULL":
        code = cause
    for known, (message, remedy) in _TOLD.items():
        if cause.startswith(known):
            return DatabaseFault(code, message.format(place=place), remedy)
    return DatabaseFault(code, f"cannot use {place}: {code}", _OTHERWISE)


def _cause(code: str, at: Path) -> str:
    """Returns the row of the table. An error of the disk may mean that it is full, or that a file may not grow."""
    if not code.startswith(("SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_READONLY")):
        return code
    try:
        disk = os.statvfs(at if at.exists() else at.parent)
    except OSError:
        return code
    if not code.startswith("SQLITE_IOERR") and disk.f_flag & os.ST_RDONLY:
        return "READONLY_MOUNT"
    if code.startswith("SQLITE_READONLY"):
        return code
    if disk.f_bavail * disk.f_frsize < _LEAST_ROOM_BYTES or (disk.f_files and not disk.f_favail):
        return "SQLITE_FULL"
    if not code.startswith("SQLITE_IOERR"):
        return code
    most_bytes = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    is_limited = most_bytes != resource.RLIM_INFINITY and _largest_bytes(at) + _LEAST_ROOM_BYTES >= most_bytes
    return "FILE_SIZE_LIMIT" if is_limited else code


def _largest_bytes(at: Path) -> int:
    files = (at, *(at.with_name(at.name + end) for end in ("-wal", "-shm")))
    return max((file.stat().st_size for file in files if file.exists()), default=0)


def unusable(path: Path | str, error: Exception, at: Path | None = None) -> UnusableError:
    """Returns the error for an operator. `at` is the database's file, if the `path` names another thing."""
    at = path if at is None and isinstance(path, Path) else at
    told, shown = fault_of(error, at, path), fault_of(error, at)
    message = told.message
    if at is not None and told.code == "SQLITE_BUSY" and (holder := lock_holders.find(at)) is not None:
        message = f"{message}: process {holder}"
    return UnusableError(message, told.remedy, code=told.code, reason=shown.message)

"""Checks that the files at the database's path are still the ones that were opened.

SQLite continues to read and write a file that was moved or deleted, and reports nothing. Whatever is committed then is
lost with the last process that has it open.
"""

from __future__ import annotations

import os
from pathlib import Path

from softix_proxy.storage.sqlite.core.engine import DatabaseError

_BACK = "put it back, or stop softix serve and restore a backup"


class MovedError(DatabaseError):
    """Says that a file was moved. `message` has a placeholder for the name of the `{place}`."""

    def __init__(self, code: str, message: str, remedy: str) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.remedy = remedy


class FileIdentity:
    """The device and the inode of the database and of its write-ahead log, once both are open."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._path = str(path)
        self._seen: list[tuple[str, tuple[int, int]]] = []

    def remember(self) -> None:
        """Records the files.

        It must be called while a connection has the log open, because the log exists only as long.
        """
        self._seen = [(path, _identity(path)) for path in (self._path, f"{self._path}-wal")]

    def check(self) -> None:
        """Raises MovedError if a file was moved. It takes about two microseconds a file and opens nothing.

        Opening the file and closing it again would give up every lock that this process has on it.
        """
        for path, identity in self._seen:
            try:
                found = _identity(path)
            except OSError:
                raise self._moved(path, "is no longer there") from None
            if found != identity:
                raise self._moved(path, "is another file than the one that was opened")

    def _moved(self, path: str, how: str) -> MovedError:
        if path == self._path:
            remedy = (
                _BACK if "no longer" in how else "restart softix serve to use the new file, or put the old one back"
            )
            return MovedError("DATABASE_MOVED", f"{{place}} {how}", remedy)
        return MovedError(
            "DATABASE_LOG_MOVED",
            f"the write-ahead log of {{place}} {how}",
            "put it back; or restart softix serve, which writes what it holds into the database when it stops",
        )


def _identity(path: str) -> tuple[int, int]:
    status = os.stat(path)  # noqa: PTH116 - half the time of `Path.stat`; it runs before every group
    return status.st_dev, status.st_ino

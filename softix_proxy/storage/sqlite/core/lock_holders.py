"""Names the process that keeps others from writing, so that an operator knows what to end.

It reads /proc, and opens no file of the database: closing one would give up every lock that this process has on it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_WRITE_LOCK_BYTE = 120
"""The byte of the shared-memory file that a writer locks (SQLite's wal.c, WALINDEX_LOCK_OFFSET)."""
_LOCKS = Path("/proc/locks")


def find(database: Path) -> int | None:
    """Returns the process that has SQLite's write lock, or else the turn. None if it is this one, or not known."""
    try:
        held = list(_held(_LOCKS.read_text("ascii").splitlines()))
    except (OSError, ValueError):  # not on Linux, or not readable
        return None
    for end, kind in (("-shm", "POSIX"), ("-turn", "FLOCK")):
        with suppress(OSError):
            inode = os.stat(f"{database}{end}").st_ino  # noqa: PTH116 - the name has no suffix of its own
            for holder, lock, locked_inode, first, last in held:
                covers = kind == "FLOCK" or first <= _WRITE_LOCK_BYTE <= last
                if lock == kind and locked_inode == inode and covers and holder not in (0, os.getpid()):
                    return holder
    return None


def _held(lines: list[str]) -> Iterator[tuple[int, str, int, int, float]]:
    """Yields the process, the kind, the inode and the range of each lock for writing. Waiting ones have an arrow."""
    for line in lines:
        words = line.split()
        if len(words) == 8 and words[1] != "->" and words[3] == "WRITE" and int(words[4]) > 0:
            last = float("inf") if words[7] == "EOF" else int(words[7])
            yield int(words[4]), words[1], int(words[5].rpartition(":")[2]), int(words[6]), last

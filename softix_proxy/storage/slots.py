"""Which processes work on a database: each locks a file of its own, and the lock dies with the process.

So an intent's owner is known to be dead at once after `kill -9`, without a lease that has to run out.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from softix_proxy.domain.errors import FailureError
from softix_proxy.domain.ids import SLOTS


class Slot:
    """A number that no other living process on this database has."""

    def __init__(self, number: int, descriptor: int) -> None:
        self.number = number
        self._descriptor = descriptor

    def release(self) -> None:
        os.close(self._descriptor)


def _folder(database: Path) -> Path:
    return database.with_name(database.name + "-slots")


def _lock(database: Path, number: int) -> Slot | None:
    folder = _folder(database)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(folder / f"{number:03d}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise FailureError(f"cannot write to {folder}: {error.strerror}", "check its owner and mode") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return Slot(number, descriptor)


def acquire(database: Path) -> Slot:
    """The lowest free slot. Raises FailureError when all are taken."""
    for number in range(SLOTS):
        slot = _lock(database, number)
        if slot is not None:
            return slot
    raise FailureError(f"{SLOTS} processes already serve this database", "stop one of them")


def borrow_dead(database: Path, numbers: list[int]) -> list[Slot]:
    """Locks those of these slots whose process is dead; release them when their intents are closed."""
    return [slot for number in numbers if (slot := _lock(database, number)) is not None]

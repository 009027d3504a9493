"""Shows which processes work on a database. Each locks a file of its own, and the lock ends with the process.

So an intent's owner is known to be dead at once after `kill -9`, without a lease that has to expire.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.core.ids import SLOTS
from softix_proxy.domain.core.os_faults import remedy_of
from softix_proxy.domain.instance import ownership
from softix_proxy.domain.instance.migrations import FIRST_WITHOUT_REQUESTS

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Slot:
    """A number that no other living process on this database has."""

    def __init__(self, number: int, descriptor: int) -> None:
        self.number = number
        self._descriptor = descriptor

    def release(self) -> None:
        os.close(self._descriptor)


def _folder(database: Path) -> Path:
    return database.with_name(database.name + "-slots")


def _open(database: Path, name: str = "") -> int:
    """Opens a slot's file, or the folder itself. Raises FailureError."""
    folder = _folder(database)
    try:
        ownership.make_folder(folder, database)
        return ownership.open_or_make(folder / name, database) if name else os.open(folder, _FOLDER)
    except OSError as error:
        raise _unusable(folder, error) from None


def _unusable(folder: Path, error: OSError) -> FailureError:
    ours = "check that it, and what is in it, belongs to who runs softix serve; softix doctor tells what does not"
    return FailureError(f"cannot write to {folder}: {error.strerror}", remedy_of(error, ours))


def files(database: Path) -> list[Path]:
    """Returns the files of all processes that have ever worked on the database. Raises FailureError."""
    folder = _folder(database)
    try:
        return sorted(path for path in folder.iterdir() if path.name.isdecimal())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise _unusable(folder, error) from None


def _lock(database: Path, number: int) -> Slot | None:
    descriptor = _open(database, f"{number:03d}")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return Slot(number, descriptor)


@contextmanager
def _gate(database: Path, kind: int) -> Iterator[None]:
    """Locks the folder. Processes that take a slot share the lock.

    A process takes it alone if nobody may take a slot meanwhile.
    """
    descriptor = _open(database)
    try:
        fcntl.flock(descriptor, kind)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def shut(database: Path) -> Iterator[tuple[int, ...]]:
    """Prevents others from getting a slot within the block.

    Yields the slots of living processes. Raises FailureError.
    """
    with _gate(database, fcntl.LOCK_EX):
        yield living(database)


def living(database: Path) -> tuple[int, ...]:
    """Returns the slots of the processes that work on this database now."""
    found = []
    for number in (int(path.name) for path in files(database)):
        slot = _lock(database, number)
        if slot is None:
            found.append(number)
        else:
            slot.release()
    return tuple(found)


def acquire(database: Path, *, admits: bool = True) -> Slot:
    """Takes the lowest free slot. Raises FailureError if all are taken.

    A process that admits no requests takes one above those of intents. Otherwise it would seem to own the intents of a
    dead process that had the same number.
    """
    first = 0 if admits else FIRST_WITHOUT_REQUESTS
    with _gate(database, fcntl.LOCK_SH):
        for number in range(first, first + SLOTS):
            slot = _lock(database, number)
            if slot is not None:
                return slot
    raise FailureError(f"{SLOTS} processes already serve this database", "stop one of them")


def borrow_dead(database: Path, numbers: list[int]) -> list[Slot]:
    """Locks those of these slots whose process is dead. The caller must release them when their intents are closed."""
    return [slot for number in numbers if (slot := _lock(database, number)) is not None]

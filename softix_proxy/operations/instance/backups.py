"""Makes backups, removes old ones, and keeps what is known of the last one."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Protocol

from softix_proxy.domain.core.clock import SECOND_US, Clock
from softix_proxy.domain.core.errors import ConflictError, FailureError
from softix_proxy.domain.core.os_faults import remedy_of
from softix_proxy.domain.instance import ownership
from softix_proxy.domain.instance.backups import (
    CHECKSUM_SUFFIX,
    LAST_BACKUP,
    LastBackup,
    MadeBackup,
    Retention,
    file_name,
    newest_first,
)
from softix_proxy.domain.ports.storage import Storage, Unit

_LOCK = ".softix-backup.lock"
_READ_BYTES = 1 << 20
_CHECKSUM_LETTERS = 64


class BackupTools(Protocol):
    """What the storage and the vault do for a backup. All of it blocks."""

    def copy(self, target: Path) -> tuple[int, int]:
        """Copies the database into a new file. Returns its schema and its moment. Raises FailureError."""
        ...

    def require_whole(self, place: Path, shown: Path) -> int:
        """Examines a copy, and returns its schema. Raises FailureError with the name that is shown."""
        ...

    def seal(self, source: BinaryIO, target: BinaryIO) -> None:
        """Encrypts a file. Raises FailureError."""
        ...


@dataclass(frozen=True, slots=True)
class BackupPlan:
    """Where a backup goes, and what becomes of older ones."""

    target: Path
    """A folder, in which the backup gets a name by its time, or the file."""
    beside: Path
    """The folder for the copy before it is encrypted: that of the database."""
    seal: bool = False
    keep: Retention | None = None


def make(tools: BackupTools, clock: Clock, plan: BackupPlan) -> MadeBackup:
    """Makes a backup of a database that may be in use. It blocks.

    Under its own name there is only a backup that was examined and is on the disk. Raises FailureError, or
    ConflictError if the file exists, or if another process makes a backup in the folder.
    """
    began_ns = clock.monotonic_ns()
    folder = plan.target if plan.target.is_dir() else plan.target.parent
    with _told(plan.target), _alone(folder):
        place = _free_name(folder, clock.now_us(), plan.seal) if plan.target.is_dir() else plan.target
        if place.exists():
            raise ConflictError(f"{place} exists", "name another file, or a folder")
        schema, at_us = _write(tools, plan, place)
        digest = checksum(place)
        _write_checksum(place, digest)
        removed = tuple(_rotate(folder, plan.keep)) if plan.keep and plan.target.is_dir() else ()
    took_ms = (clock.monotonic_ns() - began_ns) // 1_000_000
    return MadeBackup(place, at_us, place.stat().st_size, digest, schema, plan.seal, took_ms, removed)


def _write(tools: BackupTools, plan: BackupPlan, place: Path) -> tuple[int, int]:
    """Copies, examines, perhaps encrypts, and gives the file its name. What is not encrypted stays beside the books."""
    partial = place.with_name(f".{place.name}.partial")
    plain = plan.beside / f".{place.name}.copy" if plan.seal else partial
    try:
        for leftover in (partial, plain):
            leftover.unlink(missing_ok=True)
        made = tools.copy(plain)
        tools.require_whole(plain, plain)
        if plan.seal:
            with plain.open("rb") as source, os.fdopen(ownership.open_or_make(partial, place.parent), "wb") as target:
                tools.seal(source, target)
                target.flush()
                os.fsync(target.fileno())
        partial.rename(place)
        _sync(place.parent)
    finally:
        for leftover in {partial, plain}:
            for end in ("", "-wal", "-shm"):
                leftover.with_name(leftover.name + end).unlink(missing_ok=True)
    return made


def checksum(place: Path) -> str:
    """Returns the SHA-256 of a file, in hex. Raises OSError."""
    digest = sha256()
    with place.open("rb") as file:
        while piece := file.read(_READ_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def require_checksum(place: Path) -> str:
    """Returns the SHA-256 of a backup. Raises FailureError if the file beside it names another one."""
    found = checksum(place)
    told = place.with_name(place.name + CHECKSUM_SUFFIX)
    if told.exists() and told.read_text("ascii", errors="replace")[:_CHECKSUM_LETTERS] != found:
        raise FailureError(f"{place} is not what {told.name} says: it was changed", "take another backup")
    return found


def _write_checksum(place: Path, digest: str) -> None:
    """Writes the file that `sha256sum -c` reads."""
    beside = place.with_name(place.name + CHECKSUM_SUFFIX)
    with os.fdopen(ownership.open_or_make(beside, place.parent), "w", encoding="utf-8") as file:
        file.write(f"{digest}  {place.name}\n")


def _rotate(folder: Path, keep: Retention) -> Iterator[str]:
    for name in keep.superfluous(file.name for file in folder.iterdir()):
        with suppress(FileNotFoundError):
            (folder / name).unlink()
            yield name
        (folder / f"{name}{CHECKSUM_SUFFIX}").unlink(missing_ok=True)


def _free_name(folder: Path, at_us: int, sealed: bool) -> Path:
    """Returns an unused name. A backup is never overwritten, not even by another one of the same second."""
    number = 1
    while (place := folder / file_name(at_us, sealed=sealed, number=number)).exists():
        number += 1
    return place


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Lets one process at a time make a backup in a folder. The lock ends with the process."""
    descriptor = ownership.open_or_make(folder / _LOCK, folder)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise ConflictError(f"another process makes a backup in {folder}", "wait until it ends") from None
    finally:
        os.close(descriptor)


@contextmanager
def _told(target: Path) -> Iterator[None]:
    try:
        yield
    except BlockingIOError:
        raise
    except OSError as error:
        remedy = remedy_of(error, "name a folder that exists and that this user may write to")
        raise FailureError(f"cannot write {target}: {error.strerror}", remedy) from None


def _sync(place: Path) -> None:
    descriptor = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


async def record(storage: Storage, made: MadeBackup) -> None:
    """Keeps what is known of the last backup, for the doctor, the metrics and the schedule."""
    async with storage.writing() as unit:
        await unit.instance.set(LAST_BACKUP, made.last().text())


async def last(unit: Unit) -> LastBackup | None:
    """Returns what is known of the last backup, or None if none was made."""
    return LastBackup.of(await unit.instance.get(LAST_BACKUP))


def is_due(known: LastBackup | None, now_us: int, every_h: float) -> bool:
    """Returns whether a backup is to be made. A clock that was ahead at the last one does not hold it up."""
    return known is None or not 0 <= now_us - known.at_us < int(every_h * 3600) * SECOND_US


def newest(folder: Path) -> Path | None:
    """Returns the newest backup in a folder, by its name."""
    timed = newest_first(file.name for file in folder.iterdir())
    return folder / timed[0][1] if timed else None

"""Wires backups, restores and drills: the storage copies and examines, and the vault encrypts."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from softix_proxy.assembly.instance import Instance, master_key_store
from softix_proxy.domain.core.clock import Clock, SystemClock
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.core.os_faults import remedy_of
from softix_proxy.domain.instance.backups import BookCounts, Drilled, MadeBackup, Restored, Retention

if TYPE_CHECKING:
    from collections.abc import Iterator

    from softix_proxy.settings import Settings
    from softix_proxy.storage.sqlite.core.database import Database
    from softix_proxy.vault.master_key_store import MasterKeyStore


@dataclass(frozen=True, slots=True)
class _Tools:
    """Implements operations.instance.backups.BackupTools."""

    database: Database
    keys: MasterKeyStore

    def copy(self, target: Path) -> tuple[int, int]:
        from softix_proxy.storage.sqlite.core import database_copy

        return database_copy.copy(self.database, target)

    def require_whole(self, place: Path, shown: Path) -> int:
        from softix_proxy.storage.sqlite.core import database_copy

        return database_copy.require_whole(place, shown)

    def seal(self, source: BinaryIO, target: BinaryIO) -> None:
        self.keys.seal_file(source, target)


def back_up(instance: Instance, target: Path, *, encrypt: bool, keep: Retention | None) -> MadeBackup:
    """Makes a backup. It blocks. Raises FailureError or ConflictError."""
    from softix_proxy.operations.instance import backups

    settings = instance.settings
    tools = _Tools(instance.database, master_key_store(settings))
    plan = backups.BackupPlan(target, settings.paths.database.parent, seal=encrypt, keep=keep)
    return backups.make(tools, instance.clock, plan)


async def restore(settings: Settings, file: Path, given_out: Sequence[str]) -> Restored:
    """Puts a backup in the place of the database, after it was verified with its books and the master key.

    Raises FailureError, and then nothing was changed, or BadInputError.
    """
    from softix_proxy.storage.sqlite.core import database_copy, slots
    from softix_proxy.storage.sqlite.core import replacement as steps

    told = [steps.parse_number(text) for text in given_out]
    database, clock = settings.paths.database, SystemClock()
    unpacked = database.with_name(f"{database.name}-restoring")
    with _told(file):
        database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with slots.shut(database) as living:
            if living:
                raise FailureError(
                    f"softix works on {database} (slot {living[0]})",
                    "stop softix serve and softix portal, then try again",
                )
            try:
                migrated = await _unpacked(settings, file, unpacked, clock)
                counts, schema = database_copy.counts(unpacked), database_copy.require_whole(unpacked, file)
                lost = _lost(database, counts)
                kept_numbers = steps.carry_over(unpacked, database, told)
                kept = steps.put_in_place(database, unpacked, clock.now_us())
            finally:
                steps.remove(unpacked)
    return Restored(database, file, schema, tuple(migrated), counts, kept, lost, kept_numbers)


async def _unpacked(settings: Settings, file: Path, unpacked: Path, clock: Clock) -> list[str]:
    """Unpacks and verifies a backup, and migrates it. Returns the names of the migrations. Raises FailureError."""
    from softix_proxy.operations.instance import backups
    from softix_proxy.storage.sqlite.core import database_copy
    from softix_proxy.storage.sqlite.core import replacement as steps

    keys = master_key_store(settings)
    await asyncio.to_thread(backups.require_checksum, file)
    await asyncio.to_thread(steps.unpack, file, unpacked, keys.open_file, settings.paths.database)
    await asyncio.to_thread(database_copy.require_whole, unpacked, file)
    migrated = await asyncio.to_thread(steps.migrate, unpacked)
    if violations := await _violations(unpacked, keys, clock):
        raise FailureError(f"the books of {file} do not agree: {violations[0]}", "take another backup")
    return migrated


async def _violations(unpacked: Path, keys: MasterKeyStore, clock: Clock) -> tuple[str, ...]:
    """Returns where the books contradict themselves. Raises FailureError if the master key is another one."""
    from softix_proxy.operations.instance import instance as instance_operations
    from softix_proxy.operations.ledger import ledger
    from softix_proxy.storage.sqlite.core.database import Database
    from softix_proxy.storage.sqlite.unit import SqliteStorage

    database = await Database(unpacked, clock).open()
    try:
        storage = SqliteStorage(database)
        keys.open(await instance_operations.require_identity(storage.reading()))
        verdict = await ledger.verify(storage)
    finally:
        await database.close()
    return tuple(f"{each.rule}: {each.subject}, {each.detail}" for each in verdict.violations)


def _lost(before: Path, restored: BookCounts) -> BookCounts | None:
    """Returns how much more the database before has. None if there is none, or it cannot be read."""
    from softix_proxy.storage.sqlite.core import database_copy

    if not before.exists():
        return None
    try:
        return database_copy.counts(before).beyond(restored)
    except FailureError:
        return None


async def drill(instance: Instance, file: Path | None) -> Drilled:
    """Restores a backup elsewhere, and verifies and compares it. Without a file, it makes a backup for this.

    It changes nothing. Raises FailureError.
    """
    from softix_proxy.storage.sqlite.core import database_copy
    from softix_proxy.storage.sqlite.core import replacement as steps

    settings, clock = instance.settings, instance.clock
    live = settings.paths.database
    with tempfile.TemporaryDirectory(prefix="softix-drill-", dir=live.parent) as folder, _told(file or live):
        began_ns, at_us = clock.monotonic_ns(), clock.now_us()
        tried = file
        if tried is None:
            made = await asyncio.to_thread(back_up, instance, Path(folder), encrypt=True, keep=None)
            tried, at_us = made.path, made.at_us
        middle_ns, unpacked = clock.monotonic_ns(), Path(folder) / live.name
        keys = master_key_store(settings)
        from softix_proxy.operations.instance import backups

        await asyncio.to_thread(backups.require_checksum, tried)
        await asyncio.to_thread(steps.unpack, tried, unpacked, keys.open_file, live)
        await asyncio.to_thread(database_copy.require_whole, unpacked, tried)
        await asyncio.to_thread(steps.migrate, unpacked)
        violations = await _violations(unpacked, keys, clock)
        restored = await asyncio.to_thread(database_copy.counts, unpacked)
        end_ns = clock.monotonic_ns()
        return Drilled(
            backup=file,
            at_us=at_us if file is None else restored.last_posted_us,
            size_bytes=tried.stat().st_size,
            backup_ms=(middle_ns - began_ns) // 1_000_000,
            restore_ms=(end_ns - middle_ns) // 1_000_000,
            restored=restored,
            live=await asyncio.to_thread(database_copy.counts, live, restored.last_posted_us),
            lost=(await asyncio.to_thread(database_copy.counts, live)).beyond(restored),
            violations=violations,
        )


@contextmanager
def _told(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        remedy = remedy_of(error, "check its path and mode")
        raise FailureError(f"cannot use {error.filename or file}: {error.strerror}", remedy) from None

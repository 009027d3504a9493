"""Writes down which operator did what, in the transaction that does it, and verifies the chain of these entries."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace

from softix_proxy.domain.accounts.audit import FIRST, AuditAction, AuditEntry, chained
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.domain.routing.directory import Changes


class AuditedStorage:
    """A storage whose first transaction that changes something adds an entry to the audit.

    It is given to an operation in place of the storage, so that the operation knows of no audit. If the operation
    fails, its transaction is rolled back, and the entry with it.
    """

    def __init__(
        self,
        storage: Storage,
        actor: str,
        action: AuditAction,
        subject: str,
        is_done: Callable[[Unit], Awaitable[bool]] | None = None,
    ) -> None:
        """Takes the storage, the public id of the operator's account, and what is done to what.

        `is_done` tells whether the transaction did it, for an operation that changes other things first.
        """
        self._storage = storage
        self._is_done = is_done
        self._entry = actor, action, subject
        self._is_written = False

    def reading(self) -> Unit:
        return self._storage.reading()

    def snapshot(self) -> AbstractAsyncContextManager[Unit]:
        return self._storage.snapshot()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Unit]:
        async with self._storage.writing() as unit:
            before = await unit.audit.changed_rows()
            yield unit
            actor, action, subject = self._entry
            if self._is_written:
                return
            changed = await unit.audit.changed_rows() != before
            if changed and (self._is_done is None or await self._is_done(unit)):
                await unit.audit.add(actor, action, subject)
                self._is_written = True

    def rehearsal(self) -> Storage:
        return self._storage.rehearsal()

    async def changes(self, since_revision: int) -> Changes:
        return await self._storage.changes(since_revision)


@dataclass(frozen=True, slots=True)
class VerifiedAudit:
    """The result of a verification of the whole chain."""

    entries: int
    broken_at: int | None
    """The number of the first entry that does not follow from the one before. None if the chain is whole."""


async def page(storage: Storage, *, before: int | None = None, limit: int = 50) -> Sequence[AuditEntry]:
    """Returns the newest entries, or those before that number, the newest first."""
    return await storage.reading().audit.page(before, limit)


async def verify(storage: Storage) -> VerifiedAudit:
    """Calculates every hash anew, in constant memory. A removed last entry cannot be noticed by this alone."""
    count, previous = 0, FIRST
    async for entries in storage.reading().audit.entries():
        for entry in entries:
            count += 1
            if entry != chained(previous, replace(entry, id=count)):
                return VerifiedAudit(count, entry.id)
            previous = entry.sha256
    return VerifiedAudit(count, None)

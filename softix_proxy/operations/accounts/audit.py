"""Reads the audit, and verifies the chain of its entries. `operations.access.door` writes it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

from softix_proxy.domain.accounts.audit import FIRST, AuditEntry, chained
from softix_proxy.domain.accounts.audit_heads import AuditHead
from softix_proxy.domain.core.clock import format_instant
from softix_proxy.domain.core.errors import NotFoundError
from softix_proxy.domain.ports.storage import Storage
from softix_proxy.domain.ports.vault import Signer

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Selects entries. None and an empty text select all."""

    actor: str = ""
    action: str = ""
    """The name of an operation, or its beginning: `keys` selects `keys.create` and `keys.revoke`."""
    subject: str = ""
    from_us: int | None = None
    to_us: int | None = None

    def selects(self, entry: AuditEntry) -> bool:
        return (
            self.actor in ("", entry.actor)
            and (not self.action or entry.action == self.action or entry.action.startswith(f"{self.action}."))
            and (not self.subject or entry.subject == self.subject or f'"{self.subject}"' in entry.changes)
            and (self.from_us is None or entry.at_us >= self.from_us)
            and (self.to_us is None or entry.at_us < self.to_us)
        )


ALL = AuditFilter()


@dataclass(frozen=True, slots=True)
class VerifiedAudit:
    """The result of a verification of the whole chain."""

    entries: int
    broken_at: int | None
    """The number of the first entry that does not follow from the one before, or from what was signed. None if the
    chain is whole.
    """


async def page(
    storage: Storage, *, before: int | None = None, limit: int = 50, wanted: AuditFilter = ALL
) -> Sequence[AuditEntry]:
    """Returns the newest entries that are wanted, or those before that number, the newest first."""
    found: list[AuditEntry] = []
    while rows := await storage.reading().audit.page(before, limit if wanted == ALL else _AT_ONCE):
        found += [entry for entry in rows if wanted.selects(entry)]
        before = rows[-1].id
        if len(found) >= limit or before == 1 or (wanted.from_us is not None and rows[-1].at_us < wanted.from_us):
            break
    return found[:limit]


async def show(storage: Storage, number: int) -> AuditEntry:
    """Returns the entry with this number. Raises NotFoundError."""
    entry = await storage.reading().audit.find(number)
    if entry is None:
        raise NotFoundError(f"the audit has no entry {number}", "see: softix audit list")
    return entry


async def follow(storage: Storage, after: int, wanted: AuditFilter = ALL) -> AsyncIterator[AuditEntry]:
    """Yields the entries after that number, the oldest first, up to the newest one of now."""
    async for entries in storage.reading().audit.entries(after):
        for entry in entries:
            if wanted.selects(entry):
                yield entry


async def sign(storage: Storage, signer: Signer) -> AuditHead:
    """Returns the head of now, signed by the instance. Kept elsewhere, it proves later that no entry was removed."""
    newest = await storage.reading().audit.page(None, 1)
    head = AuditHead(
        entries=newest[0].id if newest else 0,
        sha256=(newest[0].sha256 if newest else FIRST).hex(),
        signed_at=format_instant(storage.reading().clock.now_us()) or "",
        public_key=signer.public_key,
    )
    return replace(head, signature=signer.sign(head.message()).hex())


async def verify(storage: Storage, head: AuditHead | None = None) -> VerifiedAudit:
    """Calculates every hash anew, in constant memory.

    A removed end can be noticed only with a head that was signed before. The caller checks its signature.
    """
    count, previous = 0, FIRST
    async for entries in storage.reading().audit.entries():
        for entry in entries:
            count += 1
            if entry != chained(previous, replace(entry, id=count)):
                return VerifiedAudit(count, entry.id)
            previous = entry.sha256
            if head is not None and head.entries == count and head.sha256 != previous.hex():
                return VerifiedAudit(count, count)
    if head is not None and head.entries > count:
        return VerifiedAudit(count, count + 1)
    return VerifiedAudit(count, None)

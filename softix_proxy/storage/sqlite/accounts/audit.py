"""The rows of the audit."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from softix_proxy.domain.accounts.audit import (
    FIRST,
    VERSION,
    ActorKind,
    AuditActor,
    AuditChange,
    AuditEntry,
    Channel,
    Outcome,
    as_text,
    chained,
)
from softix_proxy.domain.privacy.technical_data import NOWHERE
from softix_proxy.storage.sqlite.accounts.audited_changes import audited_changes
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.core.paging import is_before
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping, converted

_ENTRY = RecordMapping(
    AuditEntry,
    "id",
    "at_us",
    "actor",
    "action",
    "subject",
    "sha256",
    "version",
    "changes",
    actor_kind=converted(ActorKind),
    channel=converted(Channel),
    outcome=converted(Outcome),
)
_AT_ONCE = 500


class SqliteAuditStore:
    """Stores the audit."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def add(
        self, actor: AuditActor, action: str, subject: str, outcome: Outcome, changes: Sequence[AuditChange] = ()
    ) -> AuditEntry:
        last = await self.page(None, 1)
        number, previous = (last[0].id + 1, last[0].sha256) if last else (1, FIRST)
        asked = AuditEntry(
            id=number,
            at_us=self._session.clock.now_us(),
            actor=actor.id,
            action=action,
            subject=subject,
            version=VERSION,
            actor_kind=actor.kind,
            channel=actor.channel,
            outcome=outcome,
            changes=as_text(changes),
        )
        entry = chained(previous, asked)
        await self._session.insert("audit", _ENTRY.row(entry))
        await self._keep_origin(entry)
        return entry

    async def _keep_origin(self, entry: AuditEntry) -> None:
        """Keeps where the entry comes from in a row beside it, which is purged while the chain stays whole."""
        origin = self._session.origin
        if origin == NOWHERE:
            return
        family, version, device = origin.agent
        row = {
            "entry_id": entry.id,
            "at_us": entry.at_us,
            "actor": entry.actor or entry.subject,
            "address": origin.address,
            "family": family,
            "version": version,
            "device": device,
            "tls": origin.tls,
        }
        await self._session.insert("audit_origins", row)

    async def changes(self) -> Sequence[AuditChange]:
        return await audited_changes(self._session, await self._session.recorded())

    async def find(self, number: int) -> AuditEntry | None:
        rows = await self._session.all(f"SELECT {_ENTRY.select()} FROM audit WHERE id = ?", number)
        return _ENTRY.read_all(rows)[0] if rows else None

    async def page(self, before_id: int | None, limit: int) -> Sequence[AuditEntry]:
        rows = await self._session.all(
            f"SELECT {_ENTRY.select()} FROM audit WHERE {is_before('?1')} ORDER BY id DESC LIMIT ?2",
            before_id,
            limit,
        )
        return _ENTRY.read_all(rows)

    async def entries(self, after_id: int = 0) -> AsyncIterator[Sequence[AuditEntry]]:
        after = after_id
        statement = f"SELECT {_ENTRY.select()} FROM audit WHERE id > ? ORDER BY id LIMIT ?"
        while rows := await self._session.all(statement, after, _AT_ONCE):
            found = _ENTRY.read_all(rows)
            after = found[-1].id
            yield found

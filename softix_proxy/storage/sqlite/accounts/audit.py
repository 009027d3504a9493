"""The rows of the audit."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from softix_proxy.domain.accounts.audit import FIRST, AuditAction, AuditEntry, chained
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.core.paging import is_before
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping, converted

_ENTRY = RecordMapping(AuditEntry, "id", "at_us", "actor", "subject", "sha256", action=converted(AuditAction))
_AT_ONCE = 2000


class SqliteAuditStore:
    """Stores the audit."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def add(self, actor: str, action: AuditAction, subject: str) -> AuditEntry:
        last = await self.page(None, 1)
        number, previous = (last[0].id + 1, last[0].sha256) if last else (1, FIRST)
        now_us = self._session.clock.now_us()
        asked = AuditEntry(id=number, at_us=now_us, actor=actor, action=action, subject=subject)
        entry = chained(previous, asked)
        await self._session.insert("audit", _ENTRY.row(entry, "id", "at_us", "actor", "action", "subject", "sha256"))
        return entry

    async def changed_rows(self) -> int:
        [(rows,)] = await self._session.all("SELECT total_changes()")
        return int(rows)

    async def page(self, before_id: int | None, limit: int) -> Sequence[AuditEntry]:
        rows = await self._session.all(
            f"SELECT {_ENTRY.select()} FROM audit WHERE {is_before('?1')} ORDER BY id DESC LIMIT ?2",
            before_id,
            limit,
        )
        return _ENTRY.read_all(rows)

    async def entries(self) -> AsyncIterator[Sequence[AuditEntry]]:
        after = 0
        statement = f"SELECT {_ENTRY.select()} FROM audit WHERE id > ? ORDER BY id LIMIT ?"
        while rows := await self._session.all(statement, after, _AT_ONCE):
            found = _ENTRY.read_all(rows)
            after = found[-1].id
            yield found

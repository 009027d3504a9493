"""The rows of security events."""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.domain.accounts.security_events import SecurityEvent
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.core.paging import is_before
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping

_EVENT = RecordMapping(
    SecurityEvent, "id", "at_us", "account_id", "kind", "address", "device", "subject", "version", "tls"
)
_ADDED = ("at_us", "account_id", "kind", "address", "device", "subject")


class SqliteSecurityEventStore:
    """Stores what matters to people's security, until it is purged."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def add(self, event: SecurityEvent) -> None:
        origin = self._session.origin
        here = {"version": origin.agent.version, "tls": origin.tls} if event.address else {}
        await self._session.insert("security_events", {**_EVENT.row(event, *_ADDED), **here})

    async def list(self, account_id: int | None, limit: int, before_id: int | None = None) -> Sequence[SecurityEvent]:
        of_all = f"SELECT {_EVENT.select()} FROM security_events WHERE {is_before('?1')}"
        if account_id is None:
            return _EVENT.read_all(await self._session.all(f"{of_all} ORDER BY id DESC LIMIT ?2", before_id, limit))
        rows = await self._session.all(
            f"{of_all} AND account_id = ?3 ORDER BY id DESC LIMIT ?2", before_id, limit, account_id
        )
        return _EVENT.read_all(rows)

    async def has_seen(self, account_id: int, device: str | None = None) -> bool:
        row = await self._session.one(
            "SELECT 1 FROM security_events WHERE account_id = ?1 AND kind = 'signed_in'"
            " AND (?2 IS NULL OR device = ?2) LIMIT 1",
            account_id,
            device,
        )
        return row is not None

    async def purge(self, before_us: int, most: int) -> int:
        return await self._session.run(
            "DELETE FROM security_events WHERE id IN (SELECT id FROM security_events WHERE at_us < ? LIMIT ?)",
            before_us,
            most,
        )

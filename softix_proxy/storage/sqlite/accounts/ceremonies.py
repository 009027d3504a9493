"""The rows of ceremonies under way. Whoever deletes a row has ended the ceremony."""

from __future__ import annotations

from softix_proxy.domain.accounts.ceremonies import Ceremony, CeremonyKind
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping, converted

CEREMONY = RecordMapping(
    Ceremony,
    "reference",
    "browser",
    "account_id",
    "sealed",
    "created_at_us",
    "expires_at_us",
    kind=converted(CeremonyKind),
)
_UNDER_WAY = "kind = ? AND reference = ? AND browser = ? AND expires_at_us > ?"


class SqliteCeremonyStore:
    """Stores what a browser will come back for."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def add(self, ceremony: Ceremony) -> None:
        await self._session.run(
            "DELETE FROM ceremonies WHERE kind = ? AND reference = ?", ceremony.kind, ceremony.reference
        )
        await self._session.insert("ceremonies", CEREMONY.row(ceremony))

    async def find(self, kind: CeremonyKind, reference: bytes, browser: bytes, now_us: int) -> Ceremony | None:
        row = await self._session.one(
            f"SELECT {CEREMONY.select()} FROM ceremonies WHERE {_UNDER_WAY}", kind, reference, browser, now_us
        )
        return CEREMONY.read(row) if row else None

    async def consume(self, kind: CeremonyKind, reference: bytes, browser: bytes, now_us: int) -> Ceremony | None:
        row = await self._session.one(
            f"DELETE FROM ceremonies WHERE {_UNDER_WAY} RETURNING {CEREMONY.select()}",
            kind,
            reference,
            browser,
            now_us,
        )
        return CEREMONY.read(row) if row else None

    async def end_all(self, account_id: int) -> None:
        await self._session.run("DELETE FROM ceremonies WHERE account_id = ?", account_id)

    async def purge(self, now_us: int) -> int:
        return await self._session.run("DELETE FROM ceremonies WHERE expires_at_us <= ?", now_us)

"""The named values of the instance."""

from __future__ import annotations

from softix_proxy.domain.core.calendar import Calendar
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.core.numbering import LAST_REQUEST


class SqliteInstanceStore:
    """Stores the named values of the instance."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def get(self, name: str) -> bytes | None:
        row = await self._session.one("SELECT value FROM instance WHERE name = ?", name)
        return bytes(row[0]) if row else None

    async def calendar(self) -> Calendar:
        return await self._session.calendar()

    async def last_request_id(self) -> int:
        [(number,)] = await self._session.all(LAST_REQUEST)
        return int(number)

    async def set(self, name: str, value: bytes) -> None:
        await self._session.run("INSERT OR REPLACE INTO instance (name, value) VALUES (?, ?)", name, value)

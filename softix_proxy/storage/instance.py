"""Named values of the instance."""

from __future__ import annotations

from softix_proxy.storage.database import Session


class Instance:
    def __init__(self, session: Session) -> None:
        self._session = session

    async def get(self, name: str) -> bytes | None:
        row = await self._session.one("SELECT value FROM instance WHERE name = ?", name)
        return bytes(row[0]) if row else None

    async def set(self, name: str, value: bytes) -> None:
        await self._session.run("INSERT OR REPLACE INTO instance VALUES (?, ?)", name, value)

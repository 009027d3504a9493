"""The rows of admin tokens."""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.domain.access.tokens import AdminToken
from softix_proxy.domain.core.errors import NotFoundError
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping

_TOKEN = RecordMapping(
    AdminToken,
    "id",
    "public_id",
    "label",
    "prefix",
    "digest",
    "role",
    "created_at_us",
    "expires_at_us",
    "revoked_at_us",
    "used_at_us",
)
_SELECT = f"SELECT {_TOKEN.select()} FROM admin_tokens"


class SqliteTokenStore:
    """Stores admin tokens."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def add(self, token: AdminToken) -> AdminToken:
        values = _TOKEN.row(token)
        del values["id"]
        return await self.get(await self._session.insert("admin_tokens", values))

    async def find(self, reference: str) -> AdminToken | None:
        for condition in ("public_id = ?", "prefix = ?"):
            rows = await self._session.all(f"{_SELECT} WHERE {condition}", reference)
            if len(rows) == 1:
                return _TOKEN.read(rows[0])
        return None

    async def by_digest(self, digest: bytes) -> AdminToken | None:
        row = await self._session.one(f"{_SELECT} WHERE digest = ?", digest)
        return None if row is None else _TOKEN.read(row)

    async def get(self, token_id: int) -> AdminToken:
        row = await self._session.one(f"{_SELECT} WHERE id = ?", token_id)
        if row is None:
            raise NotFoundError("there is no such token")
        return _TOKEN.read(row)

    async def list(self) -> Sequence[AdminToken]:
        return _TOKEN.read_all(await self._session.all(f"{_SELECT} ORDER BY id"))

    async def revoke(self, token_id: int, at_us: int) -> None:
        await self._session.update("admin_tokens", {"revoked_at_us": at_us}, "id = ?", token_id)

    async def use(self, token_id: int, at_us: int) -> None:
        await self._session.update("admin_tokens", {"used_at_us": at_us}, "id = ?", token_id)

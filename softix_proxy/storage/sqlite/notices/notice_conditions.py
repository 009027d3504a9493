"""The rows of conditions that hold and that people were told of."""

from __future__ import annotations

import json
from collections.abc import Collection

from softix_proxy.domain.notices.outbox import NoticeKind
from softix_proxy.storage.sqlite.core.database import DatabaseSession


class SqliteNoticeConditionStore:
    """Stores the names of conditions."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def standing(self, kind: NoticeKind) -> frozenset[str]:
        rows = await self._session.all("SELECT name FROM notice_conditions WHERE kind = ?", kind)
        return frozenset(row[0] for row in rows)

    async def begin(self, name: str, kind: NoticeKind, now_us: int) -> bool:
        added = await self._session.all(
            "INSERT INTO notice_conditions (name, kind, since_us) VALUES (?, ?, ?)"
            " ON CONFLICT (name) DO NOTHING RETURNING name",
            name,
            kind,
            now_us,
        )
        return bool(added)

    async def end(self, names: Collection[str]) -> None:
        await self._session.run(
            "DELETE FROM notice_conditions WHERE name IN (SELECT value FROM json_each(?))", json.dumps([*names])
        )

"""The rows of the calls that a program may repeat."""

from __future__ import annotations

from softix_proxy.domain.access.repeatable_calls import RepeatableCall
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping

_CALL = RecordMapping(
    RepeatableCall, "actor", "key_digest", "operation", "request_digest", "call_id", "at_us", "answer"
)
_TABLE = "repeatable_calls"


class SqliteRepeatableCallStore:
    """Stores the calls that have changed something."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def find(self, actor: str, key_digest: bytes) -> RepeatableCall | None:
        row = await self._session.one(
            f"SELECT {_CALL.select()} FROM {_TABLE} WHERE actor = ? AND key_digest = ?", actor, key_digest
        )
        return None if row is None else _CALL.read(row)

    async def add(self, call: RepeatableCall) -> bool:
        if await self.find(call.actor, call.key_digest) is not None:
            return False
        await self._session.insert(_TABLE, _CALL.row(call))
        return True

    async def keep_answer(self, call: RepeatableCall, answer: bytes) -> None:
        await self._session.update(
            _TABLE,
            {"answer": answer},
            "actor = ? AND key_digest = ? AND call_id = ?",
            call.actor,
            call.key_digest,
            call.call_id,
        )

    async def purge(self, before_us: int, most: int) -> int:
        return await self._session.run(
            f"DELETE FROM {_TABLE} WHERE (actor, key_digest) IN"
            f" (SELECT actor, key_digest FROM {_TABLE} WHERE at_us < ? LIMIT ?)",
            before_us,
            most,
        )

"""The rows of sessions."""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.domain.accounts.sessions import Session, SignInMethod
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping, converted

_SESSION = RecordMapping(
    Session,
    "id",
    "public_id",
    "account_id",
    "digest",
    "device",
    "created_at_us",
    "seen_at_us",
    "reauthenticated_at_us",
    "idle_ends_at_us",
    "ends_at_us",
    method=converted(SignInMethod),
    second_factor=converted(bool),
    is_pending=converted(bool),
)
_CHANGEABLE = (
    "digest",
    "method",
    "second_factor",
    "is_pending",
    "seen_at_us",
    "reauthenticated_at_us",
    "idle_ends_at_us",
    "ends_at_us",
)
_LIVE = "idle_ends_at_us > ?1 AND ends_at_us > ?1"


class SqliteSessionStore:
    """Stores sessions by the digests of their tokens."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def add(self, session: Session) -> Session:
        added = _SESSION.row(session, "public_id", "account_id", "device", "created_at_us", *_CHANGEABLE)
        number = await self._session.insert("sessions", added)
        return _SESSION.read(
            (await self._session.all(f"SELECT {_SESSION.select()} FROM sessions WHERE id = ?", number))[0]
        )

    async def by_digest(self, digest: bytes, now_us: int) -> Session | None:
        row = await self._session.one(
            f"SELECT {_SESSION.select()} FROM sessions WHERE {_LIVE} AND digest = ?2", now_us, digest
        )
        return _SESSION.read(row) if row else None

    async def list(self, account_id: int, now_us: int) -> Sequence[Session]:
        rows = await self._session.all(
            f"SELECT {_SESSION.select()} FROM sessions WHERE {_LIVE} AND account_id = ?2"
            " ORDER BY seen_at_us DESC, id DESC",
            now_us,
            account_id,
        )
        return _SESSION.read_all(rows)

    async def update(self, session: Session) -> None:
        await self._session.update("sessions", _SESSION.row(session, *_CHANGEABLE), "id = ?", session.id)

    async def end(self, session_id: int) -> None:
        await self._session.run("DELETE FROM sessions WHERE id = ?", session_id)

    async def end_others(self, account_id: int, *, but: int | None = None) -> int:
        return await self._session.run("DELETE FROM sessions WHERE account_id = ? AND id IS NOT ?", account_id, but)

    async def purge(self, now_us: int, most: int) -> int:
        return await self._session.run(
            f"DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE NOT ({_LIVE}) LIMIT ?2)", now_us, most
        )

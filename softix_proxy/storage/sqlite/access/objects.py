"""The rows of things that are kept at providers, and of operators' permissions to name some of them."""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.domain.access.objects import AccountPlace, ObjectRef, ObjectShare, OwnedObject
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping, selected
from softix_proxy.storage.sqlite.write_path.object_statements import ACCOUNT, ADD_ACCOUNT, resolved, resolving

_PLACES = "JOIN object_accounts AS a ON a.id = o.account_id JOIN providers AS p ON p.id = a.provider_id"
_USERS = "JOIN users AS u ON u.id = o.user_id"
_SHARE = RecordMapping(
    ObjectShare,
    "kind",
    "remote_id",
    provider_id=selected("a.provider_id"),
    provider=selected("p.name"),
    provider_key=selected("a.provider_key"),
    user_id=selected("o.user_id"),
    user=selected("u.name"),
    created_at_us=selected("o.created_at_us"),
)
_OWNED = RecordMapping(
    OwnedObject,
    "kind",
    "remote_id",
    provider=selected("p.name"),
    provider_key=selected("a.provider_key"),
    user=selected("u.name"),
    created_at_us=selected("o.created_at_us"),
)


class SqliteObjectStore:
    """Stores what is kept at providers for whom, and what operators allow beside that."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def share(self, share: ObjectShare) -> None:
        place = share.provider_id, share.provider_key
        await self._session.run(ADD_ACCOUNT, *place)
        await self._session.run(
            "INSERT INTO object_shares (kind, remote_id, account_id, user_id, created_at_us)"
            f" VALUES (?, ?, {ACCOUNT}, ?, ?) ON CONFLICT DO NOTHING",
            share.kind,
            share.remote_id,
            *place,
            share.user_id,
            share.created_at_us,
        )

    async def unshare(self, share: ObjectShare) -> bool:
        removed = await self._session.run(
            f"DELETE FROM object_shares WHERE kind = ? AND remote_id = ? AND account_id = {ACCOUNT} AND user_id IS ?",
            share.kind,
            share.remote_id,
            share.provider_id,
            share.provider_key,
            share.user_id,
        )
        return removed > 0

    async def shares(self) -> Sequence[ObjectShare]:
        rows = await self._session.all(
            f"SELECT {_SHARE.select()} FROM object_shares AS o {_PLACES} LEFT {_USERS} ORDER BY o.id"
        )
        return _SHARE.read_all(rows)

    async def list(self, user_id: int | None, kind: str | None, limit: int) -> Sequence[OwnedObject]:
        rows = await self._session.all(
            f"SELECT {_OWNED.select()} FROM objects AS o {_PLACES} {_USERS}"
            " WHERE (?1 IS NULL OR o.user_id = ?1) AND (?2 IS NULL OR kind = ?2) ORDER BY o.id DESC LIMIT ?3",
            user_id,
            kind,
            limit,
        )
        return _OWNED.read_all(rows)

    async def resolve(self, user_id: int, refs: Sequence[ObjectRef]) -> Sequence[tuple[int, AccountPlace]]:
        text, values = resolving(user_id, refs)
        return resolved(await self._session.all(text, *values))

"""The rows of what people chose about messages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from softix_proxy.domain.notices.outbox import NoticeKind
from softix_proxy.storage.sqlite.core.database import DatabaseSession


class SqliteNoticePreferenceStore:
    """Stores what people chose."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def muted(self, account_id: int) -> frozenset[NoticeKind]:
        rows = await self._session.all("SELECT kind FROM muted_notices WHERE account_id = ?", account_id)
        return frozenset(NoticeKind(kind) for (kind,) in rows)

    async def mute(self, account_id: int, kinds: frozenset[NoticeKind]) -> None:
        await self._session.run("DELETE FROM muted_notices WHERE account_id = ?", account_id)
        for kind in sorted(kinds):
            await self._session.insert("muted_notices", {"account_id": account_id, "kind": kind})

    async def thresholds(self, account_id: int, user_id: int) -> Sequence[int]:
        rows = await self._session.all(
            "SELECT threshold_pico FROM balance_thresholds WHERE account_id = ? AND user_id = ?"
            " ORDER BY threshold_pico DESC",
            account_id,
            user_id,
        )
        return [row[0] for row in rows]

    async def set_thresholds(self, account_id: int, user_id: int, thresholds_pico: Sequence[int]) -> None:
        await self._session.run(
            "DELETE FROM balance_thresholds WHERE account_id = ? AND user_id = ?", account_id, user_id
        )
        for threshold_pico in sorted({*thresholds_pico}):
            added = {"account_id": account_id, "user_id": user_id, "threshold_pico": threshold_pico}
            await self._session.insert("balance_thresholds", added)

    async def all_thresholds(self) -> Mapping[tuple[int, int], Sequence[int]]:
        found: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
        rows = await self._session.all(
            "SELECT account_id, user_id, threshold_pico FROM balance_thresholds ORDER BY threshold_pico DESC"
        )
        for account_id, user_id, threshold_pico in rows:
            found[account_id, user_id].append(threshold_pico)
        return found

    async def forget(self, account_id: int) -> None:
        for table in ("muted_notices", "balance_thresholds"):
            await self._session.run(f"DELETE FROM {table} WHERE account_id = ?", account_id)

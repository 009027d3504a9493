"""The rows of conditions that hold and that people were told of, and the search for new ones."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence

from softix_proxy.domain.notices.notice_conditions import CAP_PART, LowBalance
from softix_proxy.domain.notices.outbox import NoticeKind
from softix_proxy.domain.notices.webhook_events import EventKind
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping

_LOW_BALANCE = RecordMapping(LowBalance, "user_id", "posted_pico")
_LOW_BALANCES = f"""
SELECT {_LOW_BALANCE.select()} FROM wallets
WHERE posted_pico <= ?1
  AND (NOT ?2 OR user_id IN (SELECT user_id FROM members))
  AND user_id IN (SELECT id FROM users WHERE postpaid = 0 AND status = 'active')
  AND EXISTS (
    SELECT 1 FROM keys JOIN key_states ON key_states.key_id = keys.id
    WHERE keys.user_id = wallets.user_id AND key_states.spent_total_pico > 0
  )
ORDER BY user_id"""
_SPENT_KEYS = f"""
SELECT keys.id FROM keys JOIN key_states ON key_states.key_id = keys.id
WHERE status = 'active' AND cap_pico > 0 AND (NOT ?1 OR user_id IN (SELECT user_id FROM members))
  AND cap_pico - cap_pico / {CAP_PART} <= CASE cap_period
    WHEN 'day' THEN spent_day_pico WHEN 'week' THEN spent_week_pico
    WHEN 'month' THEN spent_month_pico ELSE spent_total_pico END
ORDER BY keys.id"""


class SqliteNoticeConditionStore:
    """Stores the names of conditions, and finds those that hold."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def standing(self, kind: NoticeKind | EventKind) -> frozenset[str]:
        rows = await self._session.all("SELECT name FROM notice_conditions WHERE kind = ?", kind)
        return frozenset(row[0] for row in rows)

    async def begin(self, name: str, kind: NoticeKind | EventKind, now_us: int) -> bool:
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

    async def low_balances(self, at_most_pico: int, *, with_members: bool = True) -> Sequence[LowBalance]:
        return _LOW_BALANCE.read_all(await self._session.all(_LOW_BALANCES, at_most_pico, with_members))

    async def spent_keys(self, *, with_members: bool = True) -> Sequence[int]:
        return [row[0] for row in await self._session.all(_SPENT_KEYS, with_members)]

"""The rows of automatic top-ups."""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.domain.core.money import PICO_PER_CENT
from softix_proxy.domain.ledger.auto_top_ups import AutoTopUp
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping, converted, insert

_AUTO_TOP_UP = RecordMapping(
    AutoTopUp,
    "user_id",
    "threshold_cents",
    "amount_cents",
    "monthly_cap_cents",
    "failures",
    "next_at_us",
    "paused_at_us",
    enabled=converted(bool),
)
_UPSERT = (
    insert("auto_top_ups", _AUTO_TOP_UP.columns)
    + " ON CONFLICT (user_id) DO UPDATE SET "
    + ", ".join(f"{column} = excluded.{column}" for column in _AUTO_TOP_UP.columns if column != "user_id")
)
_DUE = f"""
SELECT {_AUTO_TOP_UP.select()} FROM auto_top_ups JOIN wallets USING (user_id)
WHERE enabled = 1 AND paused_at_us IS NULL AND next_at_us <= ?
  AND posted_pico - held_pico < threshold_cents * {PICO_PER_CENT} ORDER BY user_id"""


class SqliteAutoTopUpStore:
    """Stores automatic top-ups."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def get(self, user_id: int) -> AutoTopUp | None:
        row = await self._session.one(f"SELECT {_AUTO_TOP_UP.select()} FROM auto_top_ups WHERE user_id = ?", user_id)
        return _AUTO_TOP_UP.read(row) if row else None

    async def set(self, auto_top_up: AutoTopUp) -> None:
        await self._session.run(_UPSERT, *_AUTO_TOP_UP.values(auto_top_up))

    async def due(self, now_us: int) -> Sequence[AutoTopUp]:
        return _AUTO_TOP_UP.read_all(await self._session.all(_DUE, now_us))

"""The rows of caps. The journal owns their state (holds and spend), as it does with budgets."""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.domain.core.calendar import PeriodSpan
from softix_proxy.domain.core.errors import ConflictError, NotFoundError
from softix_proxy.domain.metering.caps import Cap, CapAlert, stands_for
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.core.engine import IntegrityError
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping
from softix_proxy.storage.sqlite.metering import cap_sums
from softix_proxy.storage.sqlite.metering.cap_sums import CAP

_SELECT = f"SELECT {CAP.select()} FROM caps"
_ALERT = RecordMapping(CapAlert, *CapAlert._fields)
_TERMS = ("amount_pico", "zone", "reset_day", "alerts", "raised_pico", "raised_until_us")
_COPIED = tuple(column for column in CAP.columns if column not in ("id", "key_id", "held_pico"))
CARRY_ON = f"INSERT INTO caps (key_id, {', '.join(_COPIED)}) SELECT ?, {', '.join(_COPIED)} FROM caps WHERE key_id = ?"
"""Gives the key that replaces another one the same caps, with what was spent. What is held stays with the old one."""
_OPEN = """
SELECT request_id, model_id, hold_pico FROM intents WHERE iif(?1 IS NULL, user_id = ?2, key_id = ?1)"""
_ADD_HOLD = """
UPDATE intents SET cap_ids = json_insert(coalesce(cap_ids, '[]'), '$[#]', ?) WHERE request_id = ?"""

_FORGET_HOLDS = """
UPDATE intents SET cap_ids = (SELECT json_group_array(value) FROM json_each(cap_ids) WHERE value <> ?1)
WHERE EXISTS (SELECT 1 FROM json_each(cap_ids) WHERE value = ?1)"""


class SqliteCapStore:
    """Stores caps, and which parts of them were reached."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def add(self, cap: Cap) -> Cap:
        columns = CAP.row(cap)
        del columns["id"]
        try:
            number = await self._session.insert("caps", columns)
        except IntegrityError:
            raise ConflictError("there is such a cap already", "change that one") from None
        await self._hold(number, cap)
        return await self.get(number)

    async def _hold(self, number: int, cap: Cap) -> None:
        """Counts the holds of open requests, which give them back to this cap when they end."""
        named = await cap_sums.names(self._session) if cap.models else {}
        held_pico = 0
        for request_id, model_id, hold_pico in await self._session.all(_OPEN, cap.key_id, cap.user_id):
            if not cap.models or stands_for(cap.models, [named[model_id]]):
                await self._session.run(_ADD_HOLD, number, request_id)
                held_pico += hold_pico
        if held_pico:
            await self._session.update("caps", {"held_pico": held_pico}, "id = ?", number)

    async def get(self, cap_id: int) -> Cap:
        row = await self._session.one(f"{_SELECT} WHERE id = ?", cap_id)
        if row is None:
            raise NotFoundError(f"no cap with the number {cap_id}")
        return CAP.read(row)

    async def list(self, user_id: int, key_id: int | None) -> Sequence[Cap]:
        rows = await self._session.all(f"{_SELECT} WHERE user_id = ? AND key_id IS ? ORDER BY id", user_id, key_id)
        return CAP.read_all(rows)

    async def of_user(self, user_id: int) -> Sequence[Cap]:
        return CAP.read_all(await self._session.all(f"{_SELECT} WHERE user_id = ? ORDER BY id", user_id))

    async def counted(self, cap: Cap, span: PeriodSpan, from_number: int, before_number: int) -> int:
        return await cap_sums.counted(self._session, cap, span, from_number, before_number)

    async def set_terms(self, cap: Cap) -> None:
        await self._session.update("caps", CAP.row(cap, *_TERMS), "id = ?", cap.id)

    async def set_spent(self, cap_id: int, spent_pico: int) -> None:
        changed = {"spent_at_us": self._session.clock.now_us(), "spent_pico": spent_pico}
        await self._session.update("caps", changed, "id = ?", cap_id)

    async def remove(self, cap_id: int) -> None:
        await self._session.run(_FORGET_HOLDS, cap_id)  # a later cap may get the number
        await self._session.run("DELETE FROM caps WHERE id = ?", cap_id)

    async def note(self, alert: CapAlert) -> None:
        await cap_sums.add_alert(self._session, alert)

    async def untold(self, limit: int) -> Sequence[CapAlert]:
        rows = await self._session.all(
            f"SELECT {_ALERT.select()} FROM cap_alerts WHERE told_at_us IS NULL ORDER BY reached_at_us LIMIT ?", limit
        )
        return _ALERT.read_all(rows)

    async def told(self, alert: CapAlert, now_us: int) -> None:
        await self._session.update(
            "cap_alerts",
            {"told_at_us": now_us},
            "cap_id = ? AND period_start_us = ? AND percent = ?",
            alert.cap_id,
            alert.period_start_us,
            alert.percent,
        )

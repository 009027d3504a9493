"""The rows of caps. The journal owns their state (holds and spend), as it does with budgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from softix_proxy.domain.core.calendar import PeriodSpan
from softix_proxy.domain.core.errors import ConflictError, NotFoundError
from softix_proxy.domain.metering.caps import Cap, CapAlert, EndUserSpend
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
CARRY_ON_END_USERS = """
INSERT INTO cap_end_users (cap_id, end_user, spent_at_us, spent_pico)
SELECT new.id, s.end_user, s.spent_at_us, s.spent_pico FROM caps AS new JOIN caps AS old
  ON (old.models, old.tag, old.end_users, old.period) = (new.models, new.tag, new.end_users, new.period)
JOIN cap_end_users AS s ON s.cap_id = old.id WHERE new.key_id = ? AND old.key_id = ?"""
_OPEN = """
SELECT request_id, model_id, hold_pico, tags, end_user FROM intents WHERE iif(?1 IS NULL, user_id = ?2, key_id = ?1)"""
_HOLD_END_USER = """
INSERT INTO cap_end_users (cap_id, end_user, held_pico) VALUES (?, ?, ?)
ON CONFLICT DO UPDATE SET held_pico = held_pico + excluded.held_pico"""
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
        held_pico, state = 0, cap.state_at(self._session.clock.now_us(), await self._session.calendar())
        for request_id, model_id, hold_pico, tags, end_user in await self._session.all(_OPEN, cap.key_id, cap.user_id):
            if not state.is_of(tags, end_user) or (cap.models and not state.counts([named[model_id]])):
                continue
            await self._session.run(_ADD_HOLD, number, request_id)
            if cap.end_users:
                await self._session.run(_HOLD_END_USER, number, end_user, hold_pico)
            else:
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

    async def counted_by_end_user(
        self, cap: Cap, span: PeriodSpan, from_number: int, before_number: int
    ) -> Mapping[str, int]:
        return await cap_sums.counted_by_end_user(self._session, cap, span, from_number, before_number)

    async def of_end_users(self, cap_id: int) -> Sequence[EndUserSpend]:
        return await cap_sums.of_end_users(self._session, cap_id)

    async def set_spent_by_end_user(self, cap_id: int, spent_pico: Mapping[str, int]) -> None:
        await cap_sums.set_spent_by_end_user(self._session, cap_id, spent_pico)

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

"""The rows of API keys. The journal owns their state (rate limits, spend, holds); it is only read here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from softix_proxy.domain.access.keys import Key, KeyLimits, KeyStatus, Spend
from softix_proxy.domain.core.calendar import Today
from softix_proxy.domain.core.errors import NotFoundError
from softix_proxy.domain.metering.admission import KeyState
from softix_proxy.domain.organisations.key_owners import NOBODY
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.core.paging import is_before
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping, converted, field_names, insert, text_list
from softix_proxy.storage.sqlite.metering.caps import CARRY_ON, CARRY_ON_END_USERS
from softix_proxy.storage.sqlite.metering.model_rates import read_rates, write_rates
from softix_proxy.storage.sqlite.organisations.key_owners import SqliteKeyOwnerStore

KEY = RecordMapping(
    Key,
    "id",
    "public_id",
    "user_id",
    "label",
    "prefix",
    "digest",
    "expires_at_us",
    "created_at_us",
    "unknown_members",
    models=text_list(),
    allow_ip=text_list(),
    limits=RecordMapping(
        KeyLimits,
        "rpm",
        "tpm",
        "concurrency",
        "cap_pico",
        "cap_period",
        model_rates=converted(read_rates, write_rates),
    ),
    status=converted(KeyStatus),
    regions=text_list(),
    earlier_models=text_list(),
    tags=text_list(),
    end_users=converted(bool),
)
_CHANGEABLE = (
    "label",
    "models",
    "allow_ip",
    "limits",
    "status",
    "expires_at_us",
    "regions",
    "earlier_models",
    "unknown_members",
    "tags",
    "end_users",
)
_STATE = RecordMapping(KeyState, *field_names(KeyState))
_STATES_OF_USER = f"""
SELECT {_STATE.select()}, key_states.key_id FROM keys JOIN key_states ON key_states.key_id = keys.id
WHERE keys.user_id = ?"""
_CARRIED = ("spent_at_us", "spent_day_pico", "spent_week_pico", "spent_month_pico", "spent_total_pico")
"""The columns that are carried over to the key that replaces another."""
_CARRY_ON = insert(
    "key_states",
    ("key_id", *_CARRIED),
    rows=f"SELECT ?, {', '.join(_CARRIED)} FROM key_states WHERE key_id = ?",
)
_CARRY_RATES = """
INSERT INTO model_rate_states (key_id, models, rpm_tat_us, tpm_tat_us)
SELECT ?, models, rpm_tat_us, tpm_tat_us FROM model_rate_states WHERE key_id = ?"""

_REFERENCES = (
    "public_id = ?",
    "prefix = ?",
    "label = ? AND id NOT IN (SELECT rotated_from FROM keys WHERE rotated_from IS NOT NULL)",
    "label = ? AND status = 'active' AND id NOT IN (SELECT rotated_from FROM keys WHERE rotated_from IS NOT NULL)",
)
"""The ways to refer to a key, in the order in which they are tried.

A label means the key that replaced the others. Among several, it means the active one.
"""


class SqliteKeyStore:
    """Stores API keys."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def add(self, key: Key, *, rotated_from: int | None = None) -> Key:
        added = KEY.row(key, "public_id", "user_id", "prefix", "digest", "created_at_us", *_CHANGEABLE)
        number = await self._session.insert("keys", {**added, "rotated_from": rotated_from})
        if rotated_from is not None:
            await self._session.run(_CARRY_ON, number, rotated_from)
            await self._session.run(CARRY_ON, number, rotated_from)
            await self._session.run(CARRY_ON_END_USERS, number, rotated_from)
            await self._session.run(_CARRY_RATES, number, rotated_from)
            await self._inherit(number, rotated_from)
        return await self.get(number)

    async def _inherit(self, key_id: int, rotated_from: int) -> None:
        owners = SqliteKeyOwnerStore(self._session)
        owner = await owners.get(rotated_from)
        if owner != NOBODY:
            await owners.set(key_id, owner)

    async def find(self, reference: str) -> Key | None:
        for which in _REFERENCES:
            rows = await self._session.all(f"SELECT {KEY.select()} FROM keys WHERE {which} LIMIT 2", reference)
            if len(rows) == 1:
                return KEY.read(rows[0])
        return None

    async def get(self, key_id: int) -> Key:
        row = await self._session.one(f"SELECT {KEY.select()} FROM keys WHERE id = ?", key_id)
        if row is None:
            raise NotFoundError(f"no key with the number {key_id}")
        return KEY.read(row)

    async def list(self, user_id: int | None = None) -> Sequence[Key]:
        statement = f"SELECT {KEY.select()} FROM keys WHERE ?1 IS NULL OR user_id = ?1 ORDER BY id"
        return KEY.read_all(await self._session.all(statement, user_id))

    async def page(self, search: str, before_id: int | None, limit: int, user_id: int | None = None) -> Sequence[Key]:
        rows = await self._session.all(
            f"SELECT {KEY.select()} FROM keys WHERE {is_before('?1')} AND (?2 = ''"
            " OR substr(public_id, 1, length(?2)) = ?2 OR substr(prefix, 1, length(?2)) = ?2"
            " OR instr(lower(label), lower(?2))) AND (?4 IS NULL OR user_id = ?4) ORDER BY id DESC LIMIT ?3",
            before_id,
            search,
            limit,
            user_id,
        )
        return KEY.read_all(rows)

    async def update(self, key: Key) -> None:
        await self._session.update("keys", KEY.row(key, *_CHANGEABLE), "id = ?", key.id)

    async def spend(self, key_id: int) -> Spend:
        row = await self._session.one(f"SELECT {_STATE.select()} FROM key_states WHERE key_id = ?", key_id)
        if row is None:
            return Spend()
        now_us = self._session.clock.now_us()
        return _spend(_STATE.read(row), now_us, (await self._session.calendar()).at(now_us))

    async def spend_by_key(self, user_id: int) -> Mapping[int, Spend]:
        now_us = self._session.clock.now_us()
        today = (await self._session.calendar()).at(now_us)
        rows = await self._session.all(_STATES_OF_USER, user_id)
        return {key_id: _spend(_STATE.read(columns), now_us, today) for *columns, key_id in rows}


def _spend(state: KeyState, now_us: int, today: Today) -> Spend:
    state.come_back(now_us)
    return Spend(
        day_pico=state.spent_pico("day", today),
        week_pico=state.spent_pico("week", today),
        month_pico=state.spent_pico("month", today),
        total_pico=state.spent_pico("total", today),
        held_pico=state.held_pico,
        open_requests=state.open_requests,
    )

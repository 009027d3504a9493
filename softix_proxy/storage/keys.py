"""API keys' rows. Their state (limits' clocks, spend, holds) is the journal's; it is only read here."""

from __future__ import annotations

import json
from collections.abc import Sequence

from softix_proxy.domain.admission import KeyState
from softix_proxy.domain.errors import NotFoundError
from softix_proxy.domain.keys import Key, Spend
from softix_proxy.storage.database import DatabaseSession
from softix_proxy.storage.directory import KEY, to_key

_STATE = (
    "rpm_tat_us, tpm_tat_us, open_requests, held_pico, spent_at_us, "
    "spent_day_pico, spent_week_pico, spent_month_pico, spent_total_pico"
)
_CARRIED = "spent_at_us, spent_day_pico, spent_week_pico, spent_month_pico, spent_total_pico"

_REFERENCES = (
    "public_id = ?",
    "prefix = ?",
    "label = ? AND id NOT IN (SELECT rotated_from FROM keys WHERE rotated_from IS NOT NULL)",
    "label = ? AND status = 'active' AND id NOT IN (SELECT rotated_from FROM keys WHERE rotated_from IS NOT NULL)",
)
"""How a key can be meant, in this order: a label goes on to the key that was made of it, and to the one that works."""


class SqliteKeyStore:
    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def add(self, key: Key, *, rotated_from: int | None = None) -> Key:
        number = await self._session.run(
            "INSERT INTO keys (public_id, user_id, prefix, digest, created_at_us, rotated_from, label, models,"
            " allow_ip, rpm, tpm, concurrency, cap_pico, cap_period, status, expires_at_us, regions)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            key.public_id,
            key.user_id,
            key.prefix,
            key.digest,
            key.created_at_us,
            rotated_from,
            *_changeable(key),
        )
        if rotated_from is not None:
            await self._session.run(
                f"INSERT INTO key_states (key_id, {_CARRIED}) SELECT ?, {_CARRIED} FROM key_states WHERE key_id = ?",
                number,
                rotated_from,
            )
        return await self.get(number)

    async def find(self, reference: str) -> Key | None:
        for which in _REFERENCES:
            rows = await self._session.all(f"SELECT {KEY} FROM keys WHERE {which} LIMIT 2", reference)
            if len(rows) == 1:
                return to_key(rows[0])
        return None

    async def get(self, key_id: int) -> Key:
        row = await self._session.one(f"SELECT {KEY} FROM keys WHERE id = ?", key_id)
        if row is None:
            raise NotFoundError(f"no key with the number {key_id}")
        return to_key(row)

    async def list(self, user_id: int | None = None) -> Sequence[Key]:
        statement = f"SELECT {KEY} FROM keys WHERE ?1 IS NULL OR user_id = ?1 ORDER BY id"
        return [to_key(row) for row in await self._session.all(statement, user_id)]

    async def update(self, key: Key) -> None:
        await self._session.run(
            "UPDATE keys SET label = ?, models = ?, allow_ip = ?, rpm = ?, tpm = ?, concurrency = ?, cap_pico = ?,"
            " cap_period = ?, status = ?, expires_at_us = ?, regions = ? WHERE id = ?",
            *_changeable(key),
            key.id,
        )

    async def spend(self, key_id: int) -> Spend:
        row = await self._session.one(f"SELECT {_STATE} FROM key_states WHERE key_id = ?", key_id)
        if row is None:
            return Spend()
        state, now_us = KeyState(*row), self._session.clock.now_us()
        state.come_back(now_us)
        today = (await self._session.calendar()).at(now_us)
        return Spend(
            state.spent_pico("day", today),
            state.spent_pico("week", today),
            state.spent_pico("month", today),
            state.spent_pico("total", today),
            state.held_pico,
            state.open_requests,
        )


def _changeable(key: Key) -> tuple[object, ...]:
    limits = key.limits
    return (
        key.label,
        json.dumps(key.models),
        json.dumps(key.allow_ip),
        limits.rpm,
        limits.tpm,
        limits.concurrency,
        limits.cap_pico,
        limits.cap_period,
        key.status,
        key.expires_at_us,
        json.dumps(key.regions),
    )

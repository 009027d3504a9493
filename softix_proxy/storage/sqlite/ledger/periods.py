"""Closed periods, and the postings of a span: sums, and a hash that a closed period must keep.

The hash is SHA-256 over lines: the usage rows by id, then the transfers by id. Charges are left out, because each of
them repeats its usage row. A line is the row as a JSON array of the columns in `HASHED`, without the nulls at its end
and without the bracket. So a later column that is null in older rows does not change the hash of a closed period.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

from softix_proxy.domain.core.errors import ConflictError
from softix_proxy.domain.core.money import CURRENCY
from softix_proxy.domain.core.spans import Span
from softix_proxy.domain.ledger.periods import ClosedPeriod, PeriodContents, PeriodSum
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.core.engine import IntegrityError
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping, converted

_UserNames = Mapping[int, tuple[str, str]]
"""The public id and the name of each user's number."""
_AT_ONCE = 4000
"""The rows in one read, which takes about 30 ms. A longer read would delay the WAL's checkpoint."""

_KEPT = ("user_id", "currency", "rows", "cost_pico", "charge_pico", "paid_in_pico")
"""The fields of a user's sum that are stored."""
HASHED: Mapping[str, Sequence[str]] = {
    "usage": (
        "id",
        "request_id",
        "usage_at_us",
        "user_id",
        "key_id",
        "provider_id",
        "model_id",
        "model_served",
        "endpoint",
        "stream",
        "input_tokens",
        "cached_input_tokens",
        "cache_write_5m_tokens",
        "cache_write_1h_tokens",
        "audio_input_tokens",
        "image_input_tokens",
        "output_tokens",
        "reasoning_tokens",
        "audio_output_tokens",
        "image_output_tokens",
        "web_search_calls",
        "tool_calls",
        "audio_ms",
        "images",
        "requests",
        "service_tier",
        "price_id",
        "markup_num",
        "markup_den",
        "cost_pico",
        "charge_pico",
        "hold_pico",
        "status_code",
        "error",
        "latency_ms",
        "ttfb_ms",
        "attempts",
        "source",
        "note",
        "corrects_row_id",
        "cached_audio_input_tokens",
        "cached_image_input_tokens",
        "search_units",
        "characters",
        "fee_pico",
        "cost_price_id",
    ),
    "transfers": ("id", "from_account", "to_account", "amount_pico", "kind", "reference", "note"),
}
"""The columns of a line, in an order that never changes. A new column goes to the end, and is null in older rows."""
_CHUNK_END = "SELECT max(id) FROM (SELECT id FROM {table} WHERE id > ?1 AND id <= ?2 ORDER BY id LIMIT ?3)"
_LINES = """
SELECT CAST(coalesce(group_concat(rtrim(json_array({columns}), ',nul]') || char(10), ''), '') AS BLOB)
FROM (SELECT {columns} FROM {table} WHERE id > ?1 AND id <= ?2 AND {hashed} ORDER BY id)"""
_WHICH = {"usage": "true", "transfers": "kind <> 'charge'"}
"""The condition that chooses the rows of each table."""
_SUMS = {
    "usage": """
SELECT user_id, count(*), sum(cost_pico >> 32), sum(cost_pico & 4294967295), sum(charge_pico >> 32),
  sum(charge_pico & 4294967295), 0, 0
FROM usage WHERE id > ?1 AND id <= ?2 GROUP BY user_id""",
    "transfers": """
SELECT account, 0, 0, 0, 0, 0, sum(amount >> 32), sum(amount & 4294967295) FROM (
  SELECT id, kind, to_account AS account, amount_pico AS amount FROM transfers
  UNION ALL SELECT id, kind, from_account, -amount_pico FROM transfers
) WHERE id > ?1 AND id <= ?2 AND account > 0 AND kind NOT IN ('charge', 'correction') GROUP BY account""",
}
"""The sums by user: rows, then the upper and lower bits of cost, charge and payments.

So no sum exceeds 64 bits.
"""
_LAST = """
SELECT max(id) FROM (
  SELECT max(id) AS id FROM usage WHERE id >= ?1 AND id < ?2
  UNION ALL SELECT max(id) FROM transfers WHERE id >= ?1 AND id < ?2)"""


def _to_json(sums: Sequence[PeriodSum]) -> str:
    """Returns the sums as JSON, without names, because names may change."""
    return json.dumps([{name: getattr(one, name) for name in _KEPT} for one in sums], separators=(",", ":"))


def _from_json(text: str) -> tuple[PeriodSum, ...]:
    """Reads the sums. The names are filled in later."""
    return tuple(_to_sum({}, {name: one[name] for name in _KEPT}) for one in json.loads(text))


_PERIOD = RecordMapping(
    ClosedPeriod,
    "id",
    "label",
    "zone",
    "closed_at_us",
    "rows_sha256",
    span=RecordMapping(Span, "from_us", "to_us"),
    sums=converted(_from_json, _to_json),
)


class SqlitePeriodStore:
    """Stores closed periods, and reads the postings of a span."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def list(self) -> Sequence[ClosedPeriod]:
        names = await self._users()
        return [
            _with_names(_PERIOD.read(row), names)
            for row in await self._session.all(f"SELECT {_PERIOD.select()} FROM periods ORDER BY from_us")
        ]

    async def find(self, label: str) -> ClosedPeriod | None:
        row = await self._session.one(f"SELECT {_PERIOD.select()} FROM periods WHERE label = ?", label)
        return _with_names(_PERIOD.read(row), await self._users()) if row else None

    async def contents(self, span: Span) -> PeriodContents:
        last_us = await self.last_posted_us(span)  # later postings have higher numbers
        digest, sums = sha256(), defaultdict[int, list[int]](lambda: [0] * 4)
        for table, hashed in _WHICH.items():
            lines = _LINES.format(table=table, columns=", ".join(HASHED[table]), hashed=hashed)
            async for after, upto in self._chunks(table, span.from_us - 1, last_us or 0):
                [(text,)] = await self._session.all(lines, after, upto)
                digest.update(text)
                for user_id, rows, *halves in await self._session.all(_SUMS[table], after, upto):
                    added = (rows, *((halves[at] << 32) + halves[at + 1] for at in (0, 2, 4)))
                    sums[user_id] = [a + b for a, b in zip(sums[user_id], added, strict=True)]
        users = await self._users()
        made = []
        for user_id, (rows, cost_pico, charge_pico, paid_in_pico) in sorted(sums.items()):
            amounts = {"cost_pico": cost_pico, "charge_pico": charge_pico, "paid_in_pico": paid_in_pico}
            made.append(_to_sum(users, {"user_id": user_id, "currency": CURRENCY, "rows": rows, **amounts}))
        return PeriodContents(sums=tuple(made), rows_sha256=digest.digest(), last_us=last_us)

    async def _chunks(self, table: str, after: int, last: int) -> AsyncIterator[tuple[int, int]]:
        """Yields ranges of ids. Each excludes its lower end."""
        statement = _CHUNK_END.format(table=table)
        while (row := await self._session.one(statement, after, last, _AT_ONCE)) and row[0] is not None:
            yield after, row[0]
            after = row[0]

    async def first_posted_us(self) -> int | None:
        row = await self._session.one(
            "SELECT min(id) FROM (SELECT min(id) AS id FROM usage UNION ALL SELECT min(id) FROM transfers)"
        )
        return row[0] if row else None

    async def last_posted_us(self, span: Span) -> int | None:
        row = await self._session.one(_LAST, span.from_us, span.to_us)
        return row[0] if row else None

    async def add(self, period: ClosedPeriod) -> ClosedPeriod:
        try:
            added = ("label", "zone", "span", "closed_at_us", "sums", "rows_sha256")
            number = await self._session.insert("periods", _PERIOD.row(period, *added))
        except IntegrityError:
            raise ConflictError(
                f"{period.label} overlaps a closed period, or is the name of one", "see: softix period list"
            ) from None
        return replace(period, id=number)

    async def _users(self) -> _UserNames:
        return {
            number: (public_id, name)
            for number, public_id, name in await self._session.all("SELECT id, public_id, name FROM users")
        }


def _to_sum(users: _UserNames, kept: Mapping[str, Any]) -> PeriodSum:
    public_id, name = users.get(kept["user_id"], (f"user {kept['user_id']}", ""))
    return PeriodSum(user_public_id=public_id, user_name=name, **kept)


def _with_names(period: ClosedPeriod, users: _UserNames) -> ClosedPeriod:
    return replace(
        period, sums=tuple(_to_sum(users, {name: getattr(one, name) for name in _KEPT}) for one in period.sums)
    )

"""Closed periods, and what was posted in a span: sums, and a hash that a closed one must keep.

The hash is SHA-256 over lines: the usage rows by id, then the transfers by id, without charges, for each of them is its
usage row again. A line is the row as a JSON array of its columns in the table's order, without the nulls at its end and
the bracket. So a column that is added later, and is null in older rows, leaves no trace in what is closed.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

from softix_proxy.domain.errors import ConflictError
from softix_proxy.domain.periods import Contents, Period, PeriodSum
from softix_proxy.domain.usage import CURRENCY, Span
from softix_proxy.storage.database import DatabaseRow, DatabaseSession
from softix_proxy.storage.engine_sqlite import IntegrityError

_UserNames = Mapping[int, tuple[str, str]]
"""Number → public id and name."""
_AT_ONCE = 4000
"""Rows read in one go, about 30 ms: no longer, for a reader holds up the WAL's checkpoint."""

_PERIOD = "SELECT id, label, zone, from_us, to_us, closed_at_us, rows_sha256, sums FROM periods"
_COLUMNS = "SELECT group_concat(name, ', ') FROM (SELECT name FROM pragma_table_info(?) ORDER BY cid)"


_CHUNK_END = "SELECT max(id) FROM (SELECT id FROM {table} WHERE id > ?1 AND id <= ?2 ORDER BY id LIMIT ?3)"
_LINES = """
SELECT CAST(coalesce(group_concat(rtrim(json_array({columns}), ',nul]') || char(10), ''), '') AS BLOB)
FROM (SELECT * FROM {table} WHERE id > ?1 AND id <= ?2 AND {hashed} ORDER BY id)"""
_HASHED = {"usage": "true", "transfers": "kind <> 'charge'"}
"""Table → which rows of it."""
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
"""By user: rows, then upper and lower bits of cost, charge, and what was paid in, so that no sum leaves 64 bits."""
_LAST = """
SELECT max(id) FROM (
  SELECT max(id) AS id FROM usage WHERE id >= ?1 AND id < ?2
  UNION ALL SELECT max(id) FROM transfers WHERE id >= ?1 AND id < ?2)"""


class SqlitePeriodStore:
    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def list(self) -> Sequence[Period]:
        names = await self._users()
        return [_to_period(row, names) for row in await self._session.all(f"{_PERIOD} ORDER BY from_us")]

    async def find(self, label: str) -> Period | None:
        row = await self._session.one(f"{_PERIOD} WHERE label = ?", label)
        return _to_period(row, await self._users()) if row else None

    async def contents(self, span: Span) -> Contents:
        last_us = await self.last_posted_us(span)  # what is posted from here on is above it
        digest, sums = sha256(), defaultdict[int, list[int]](lambda: [0] * 4)
        for table, hashed in _HASHED.items():
            [(columns,)] = await self._session.all(_COLUMNS, table)
            lines = _LINES.format(table=table, columns=columns, hashed=hashed)
            async for after, upto in self._chunks(table, span.from_us - 1, last_us or 0):
                [(text,)] = await self._session.all(lines, after, upto)
                digest.update(text)
                for user_id, rows, *halves in await self._session.all(_SUMS[table], after, upto):
                    added = (rows, *((halves[at] << 32) + halves[at + 1] for at in (0, 2, 4)))
                    sums[user_id] = [a + b for a, b in zip(sums[user_id], added, strict=True)]
        users = await self._users()
        made = tuple(_to_sum(users, user_id, CURRENCY, *sums[user_id]) for user_id in sorted(sums))
        return Contents(made, digest.digest(), last_us)

    async def _chunks(self, table: str, after: int, last: int) -> AsyncIterator[tuple[int, int]]:
        """Ranges of ids, open below."""
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
        row = await self._session.one(_LAST, *span)
        return row[0] if row else None

    async def add(self, period: Period) -> Period:
        try:
            number = await self._session.run(
                "INSERT INTO periods (label, zone, from_us, to_us, closed_at_us, sums, rows_sha256)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                period.label,
                period.zone,
                *period.span,
                period.closed_at_us,
                _to_json(period.sums),
                period.rows_sha256,
            )
        except IntegrityError:
            raise ConflictError(
                f"{period.label} overlaps a closed period, or is the name of one", "see: softix period list"
            ) from None
        return replace(period, id=number)

    async def _users(self) -> _UserNames:
        return {row[0]: row[1:] for row in await self._session.all("SELECT id, public_id, name FROM users")}


def _to_sum(
    users: _UserNames, user_id: int, currency: str, rows: int, cost_pico: int, charge_pico: int, paid_in_pico: int
) -> PeriodSum:
    public_id, name = users.get(user_id, (f"user {user_id}", ""))
    return PeriodSum(user_id, public_id, name, rows, cost_pico, charge_pico, paid_in_pico, currency)


def _to_json(sums: Sequence[PeriodSum]) -> str:
    """Without names, which may change."""
    return json.dumps(
        [
            {
                "user_id": one.user_id,
                "currency": one.currency,
                "rows": one.rows,
                "cost_pico": one.cost_pico,
                "charge_pico": one.charge_pico,
                "paid_in_pico": one.paid_in_pico,
            }
            for one in sums
        ],
        separators=(",", ":"),
    )


def _to_period(row: DatabaseRow, users: _UserNames) -> Period:
    number, label, zone, from_us, to_us, closed_at_us, rows_sha256, text = row
    kept: list[dict[str, Any]] = json.loads(text)
    sums = tuple(
        _to_sum(
            users,
            one["user_id"],
            one["currency"],
            one["rows"],
            one["cost_pico"],
            one["charge_pico"],
            one["paid_in_pico"],
        )
        for one in kept
    )
    return Period(number, label, zone, Span(from_us, to_us), closed_at_us, sums, rows_sha256)

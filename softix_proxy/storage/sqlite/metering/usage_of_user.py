"""The usage of one user: daily sums, the newest rows, and the lines of an export.

Usage has no index by user, because each request would pay for it. So everything here begins with the daily sums, which
are found by day and key: they tell the days on which the user has rows, and only these days are read.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from softix_proxy.domain.core.spans import Span
from softix_proxy.domain.metering.usage import SummarySubject, UsageFilter, UsagePart, UsageRow, UsageTotal
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.metering import usage_sql as sql
from softix_proxy.storage.sqlite.write_path.statements import DAILY_COLUMNS

_KEPT = "usage_daily"
_SCANNED_AT_ONCE = 20_000
"""The rows that one statement passes. Each takes the database's thread for about 10 ms."""

_OWN_DAYS = f"""
  WITH RECURSIVE numbers (number) AS (VALUES (?1) UNION ALL SELECT number + 1 FROM numbers WHERE number + 1 < ?2)
  SELECT {", ".join(f"d.{name} AS {name}" for name in DAILY_COLUMNS)}
  FROM numbers CROSS JOIN keys AS own ON own.user_id = ?4
    CROSS JOIN {_KEPT} AS d ON d.day = numbers.number AND d.key_id = own.id
  WHERE (?5 IS NULL OR d.key_id IN (SELECT value FROM json_each(?5)))
    AND (?6 IS NULL OR d.model_id IN (SELECT value FROM json_each(?6)))"""
"""The daily sums of user ?4 from day ?1 to before ?2, of the keys ?5 and the models ?6.

The joins are in the order in which they are written: each pair of a day and a key is one look-up. ?3 is left to the
statement around it.
"""
_DAYS = f"SELECT DISTINCT day FROM ({_OWN_DAYS}) ORDER BY day DESC"
_CHUNK = "SELECT min(id), count(*) FROM (SELECT id FROM usage WHERE id >= ? AND id < ? ORDER BY id DESC LIMIT ?)"


class UserParameters(NamedTuple):
    """A filter as parameters of a statement. The lists are JSON, and None allows any."""

    user_id: int | None
    keys: str | None
    models: str | None


class _Chunk(NamedTuple):
    lowest: int
    rows: int


def parameters(wanted: UsageFilter) -> UserParameters:
    keys, models = wanted.key_ids, wanted.model_ids
    if wanted.key_id is not None:
        keys = [wanted.key_id] if keys is None or wanted.key_id in keys else []
    return UserParameters(
        wanted.user_id,
        None if keys is None else json.dumps([*keys]),
        None if models is None else json.dumps([*models]),
    )


async def totals(
    session: DatabaseSession, wanted: UsageFilter, by: SummarySubject, first_day: int, end_day: int
) -> Sequence[UsageTotal]:
    statement = sql.totals(by, f"({_OWN_DAYS})")
    rows = await session.all(statement, first_day, end_day, None, *parameters(wanted))
    found = sql.total(by).read_all(rows)
    return found if by == "day" else sorted(found, key=lambda total: -total.charge_pico)


async def trends(
    session: DatabaseSession, wanted: UsageFilter, by: SummarySubject, first_day: int, end_day: int, most: int
) -> Mapping[str, Mapping[int, UsageTotal]]:
    found: dict[str, dict[int, UsageTotal]] = {}
    statement = sql.trends(by, f"({_OWN_DAYS})")
    for *columns, day in await session.all(statement, first_day, end_day, most, *parameters(wanted)):
        total = sql.total(by).read(columns)
        found.setdefault(total.id, {})[day] = total
    return found


async def newest(session: DatabaseSession, wanted: UsageFilter, limit: int, most_scanned: int) -> UsagePart:
    """Returns the newest rows of the filter's span, and where the next part begins."""
    rows: list[UsageRow] = []
    passed = 0
    for day in await _days(session, wanted):
        before = day.to_us
        while (chunk := await _chunk(session, day.from_us, before)).rows:
            rows += await _rows(session, wanted, Span(chunk.lowest, before), limit + 1 - len(rows))
            if len(rows) > limit:
                return UsagePart(rows[:limit], rows[limit - 1].id)
            before = chunk.lowest
            passed += chunk.rows
            if passed >= most_scanned:
                return UsagePart(rows, before)
    return UsagePart(rows, None)


async def chunks(session: DatabaseSession, wanted: UsageFilter, at_once: int) -> AsyncIterator[tuple[int, int]]:
    """Yields ranges of ids, oldest first, that hold all rows of the user. Each excludes its lower end."""
    for day in reversed(await _days(session, wanted)):
        after = day.from_us - 1
        while (row := await session.one(sql.CHUNK_END, after, day.to_us, at_once)) and row[0] is not None:
            yield after, row[0]
            after = row[0]


async def _days(session: DatabaseSession, wanted: UsageFilter) -> Sequence[Span]:
    """Returns the days on which the user has rows, the newest first, as far as they are in the filter's span."""
    span = wanted.span
    if span is None or span.from_us >= span.to_us:
        return ()
    calendar = await session.calendar()
    first, end = calendar.day(span.from_us), calendar.day(span.to_us - 1) + 1
    return [
        Span(max(calendar.start_us(day), span.from_us), min(calendar.start_us(day + 1), span.to_us))
        for (day,) in await session.all(_DAYS, first, end, None, *parameters(wanted))
    ]


async def _chunk(session: DatabaseSession, from_us: int, before: int) -> _Chunk:
    """Measures the next rows below `before`, of all users."""
    [(lowest, rows)] = await session.all(_CHUNK, from_us, before, _SCANNED_AT_ONCE)
    return _Chunk(lowest or from_us, rows)


async def _rows(session: DatabaseSession, wanted: UsageFilter, span: Span, limit: int) -> Sequence[UsageRow]:
    where, values = sql.conditions(replace(wanted, span=span))
    rows = await session.all(f"{sql.ROWS} WHERE {where} ORDER BY u.id DESC LIMIT ?", *values, limit)
    return sql.ROW.read_all(rows)

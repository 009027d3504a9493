"""Daily sums by key and model. They are stored for the days of one zone, and made from the rows for any other zone.

The database has the name of the zone beside the sums, so that every process adds to the same days. Rows are read in
portions, because SQLite groups in memory, and a long read delays the log's checkpoint.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

from softix_proxy.domain.core.calendar import Calendar, OffsetSpan, calendar
from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.core.spans import Span
from softix_proxy.domain.ledger.redating import REDATED
from softix_proxy.domain.pricing.meters import INPUT_METERS, OUTPUT_METERS
from softix_proxy.storage.sqlite.core.database import DatabaseRow, DatabaseSession
from softix_proxy.storage.sqlite.core.record_mapping import insert
from softix_proxy.storage.sqlite.metering import budget_sums, cap_sums
from softix_proxy.storage.sqlite.write_path import statements as sql

KEPT = "usage_daily"
_OTHER = "temp.usage_by_day"
_PORTION_ROWS = 100_000


def _sum(meters: frozenset[str]) -> str:
    return f"sum({' + '.join(f'coalesce({name}, 0)' for name in sorted(meters))})"


_SUMMED = {
    "day": f"(id + ?3) / {DAY_US} AS day",
    "requests": "count(*) FILTER (WHERE corrects_row_id IS NULL)",
    "errors": "count(error)",
    "input_tokens": _sum(INPUT_METERS),
    "output_tokens": _sum(OUTPUT_METERS),
    "cost_pico": "sum(cost_pico)",
    "charge_pico": "sum(charge_pico)",
}
"""The expressions for columns of the sums that are not columns of the rows."""


def _days(columns: Sequence[str]) -> str:
    """Returns these columns of the sums of the rows from ?1 to before ?2. The zone's clock is ?3 ahead of UTC."""
    values = ", ".join(_SUMMED.get(column, column) for column in columns)
    return f"SELECT {values} FROM usage WHERE id >= ?1 AND id < ?2 GROUP BY {', '.join(sql.DAILY_PLACE)}"


_COUNTED = _days((*sql.DAILY_PLACE, *sql.DAILY_SUMS))
_END = f"SELECT max(id) + 1 FROM (SELECT id FROM usage WHERE id >= ? AND id < ? ORDER BY id LIMIT {_PORTION_ROWS})"
_POSTED = """
SELECT (SELECT min(id) FROM usage WHERE id >= ?1 AND id < ?2),
  (SELECT max(id) + 1 FROM usage WHERE id >= ?1 AND id < ?2)"""

_SPENT = f"""
WITH RECURSIVE chain (key_id, part_id, until_us) AS (
  SELECT id, id, 9223372036854775807 FROM keys
  UNION ALL
  SELECT key_id, rotated_from, created_at_us FROM chain JOIN keys ON keys.id = part_id WHERE rotated_from IS NOT NULL
)
UPDATE key_states SET spent_at_us = ?1, spent_day_pico = today, spent_week_pico = week, spent_month_pico = month
FROM (
  SELECT keys.id AS spender, coalesce(sum(charge_pico) FILTER (WHERE charged_us >= ?2), 0) AS today,
    coalesce(sum(charge_pico) FILTER (WHERE charged_us >= ?3), 0) AS week,
    coalesce(sum(charge_pico) FILTER (WHERE charged_us >= ?4), 0) AS month
  FROM keys LEFT JOIN (
    SELECT chain.key_id AS payer, charge_pico,
      iif(note LIKE '{REDATED}%', usage.id, coalesce(corrects_row_id, usage.id)) AS charged_us
    FROM usage JOIN chain ON part_id = usage.key_id AND usage.id < until_us WHERE usage.id >= min(?2, ?3, ?4)
  ) ON payer = keys.id GROUP BY keys.id
) WHERE key_states.key_id = spender"""
"""The update of all keys' spend at ?1. The day, the week and the month began at ?2, ?3 and ?4.

The spend of a key includes that of the keys that it replaced, up to their replacement.
"""


class RowRange(NamedTuple):
    """Consecutive rows during which the zone's clock has one offset."""

    from_us: int
    to_us: int
    offset_us: int


async def portions(session: DatabaseSession, by: Calendar, span: Span) -> AsyncIterator[RowRange]:
    """Yields portions of all rows that are in the span by now, in order."""
    [(first, end)] = await session.all(_POSTED, span.from_us, span.to_us)
    if first is None:
        return
    for piece in by.pieces(first, end):
        async for portion in _cut(session, piece):
            yield portion


async def _cut(session: DatabaseSession, piece: OffsetSpan) -> AsyncIterator[RowRange]:
    begun_us = piece.from_us
    while (row := await session.one(_END, begun_us, piece.to_us)) and row[0] is not None:
        yield RowRange(begun_us, row[0], piece.offset_us)
        begun_us = row[0]


async def by_day(session: DatabaseSession, portion: RowRange) -> Sequence[DatabaseRow]:
    """Returns the sums (`DAILY_SUMS`) for each day, key and model (`DAILY_PLACE`)."""
    return await session.all(_COUNTED, portion.from_us, portion.to_us, portion.offset_us)


async def table(session: DatabaseSession, by: Calendar, first_day: int, end_day: int) -> str:
    """Returns the name of the table with the sums of these days.

    It is the stored one, or else a table of this connection alone, which is filled again.
    """
    if (await session.calendar()).name == by.name:
        return KEPT
    await session.run(f"DROP TABLE IF EXISTS {_OTHER}")
    await session.run(
        f"CREATE TABLE {_OTHER} ({', '.join(sql.DAILY_COLUMNS)},"
        f" PRIMARY KEY ({', '.join(sql.DAILY_PLACE)})) WITHOUT ROWID",
    )
    await _fill(session, _OTHER, by, Span(by.start_us(first_day), by.start_us(end_day)))
    return _OTHER


async def _fill(session: DatabaseSession, into: str, by: Calendar, span: Span) -> None:
    add = f"{insert(into, sql.DAILY_COLUMNS, rows=_days(sql.DAILY_COLUMNS))} {sql.ADD_TO_DAILY}"
    async for portion in portions(session, by, span):
        await session.run(add, portion.from_us, portion.to_us, portion.offset_us)


async def change_zone(session: DatabaseSession, zone: str) -> bool:
    """Sums the rows again by the days of another zone. Returns whether the zone differs.

    It must run in a transaction that writes.
    """
    by = calendar(zone)
    if (await session.calendar()).name == zone:
        return False
    await session.run("INSERT OR REPLACE INTO instance (name, value) VALUES ('zone', ?)", zone.encode())
    await session.run(f"DELETE FROM {KEPT}")
    await _fill(session, KEPT, by, Span(0, 2**63 - 1))
    now_us = session.clock.now_us()
    today = by.at(now_us)
    await session.run(_SPENT, now_us, today.day_us, today.week_us, today.month_us)
    await budget_sums.count_again(session, by, now_us)
    await cap_sums.count_again(session, by, now_us)
    return True

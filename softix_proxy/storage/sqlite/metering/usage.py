"""The usage: single rows, daily sums, and the lines of an export."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace

from softix_proxy.domain.core.calendar import Calendar
from softix_proxy.domain.core.clock import DAY_US, SLACK_US
from softix_proxy.domain.core.spans import Span
from softix_proxy.domain.metering.usage import (
    MOST_SCANNED,
    AttemptRow,
    DailyCost,
    ExportLines,
    LineLayout,
    SummarySubject,
    UsageFilter,
    UsagePart,
    UsageRow,
    UsageSums,
    UsageTotal,
)
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.metering import attempts, rollups, usage_lines, usage_of_user, usage_tags
from softix_proxy.storage.sqlite.metering import usage_sql as sql

_LINES_AT_ONCE = 4000
"""The lines in one call to the database's thread, about 15 ms. A longer read would delay the WAL's checkpoint."""

_SUMMED_AT_ONCE = 20_000
"""The same for reads that build no lines."""


class SqliteUsageStore:
    """Reads usage."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def corrections(self, row_id: int) -> Sequence[UsageRow]:
        statement = f"{sql.ROWS} WHERE u.corrects_row_id = ? ORDER BY u.request_id"
        return sql.ROW.read_all(await self._session.all(statement, row_id))

    async def attempts_of(self, row_id: int) -> Sequence[AttemptRow]:
        return await attempts.of(self._session, row_id)

    async def attempts(self, wanted: UsageFilter, limit: int) -> Sequence[AttemptRow]:
        return await attempts.newest(self._session, wanted, limit)

    async def newest(self, wanted: UsageFilter, limit: int, most_scanned: int | None = None) -> Sequence[UsageRow]:
        after = 0
        if most_scanned is not None:
            [(first,)] = await self._session.all(sql.CHUNK_START, sql.END_OF_TIME, most_scanned)
            after = (first or 1) - 1
        return await self._rows(wanted, after, "DESC", limit)

    async def after(self, wanted: UsageFilter, usage_id: int, limit: int) -> Sequence[UsageRow]:
        return await self._rows(wanted, usage_id, "ASC", limit)

    async def last(self, upto_us: int) -> int:
        [(_, near)] = await self._session.all(sql.LAST, upto_us)
        return int(near)

    async def by_request(self, request_id: int) -> UsageRow | None:
        row = await self._session.one(f"{sql.ROWS} WHERE u.request_id = ?", request_id)
        return sql.ROW.read(row) if row else None

    async def by_ids(self, row_ids: Sequence[int]) -> Sequence[UsageRow]:
        if not row_ids:
            return ()
        statement = f"{sql.ROWS} WHERE u.id IN (SELECT value FROM json_each(?))"
        return sql.ROW.read_all(await self._session.all(statement, json.dumps([*row_ids])))

    async def model_ids(self, reference: str) -> Sequence[int]:
        return [row[0] for row in await self._session.all(sql.MODEL_IDS, reference)]

    async def totals_of(
        self, wanted: UsageFilter, by: SummarySubject, first_day: int, end_day: int
    ) -> Sequence[UsageTotal]:
        return await usage_of_user.totals(self._session, wanted, by, first_day, end_day)

    async def trends_of(
        self, wanted: UsageFilter, by: SummarySubject, first_day: int, end_day: int, most: int
    ) -> Mapping[str, Mapping[int, UsageTotal]]:
        return await usage_of_user.trends(self._session, wanted, by, first_day, end_day, most)

    async def newest_of(self, wanted: UsageFilter, limit: int, most_scanned: int = MOST_SCANNED) -> UsagePart:
        return await usage_of_user.newest(self._session, wanted, limit, most_scanned)

    async def lines_of(self, layout: LineLayout, wanted: UsageFilter) -> AsyncIterator[bytes]:
        statement = None if wanted.tags or wanted.end_user else usage_lines.selected(layout)
        user_id, keys, models = usage_of_user.parameters(wanted)
        async for after, upto in usage_of_user.chunks(self._session, wanted, _LINES_AT_ONCE):
            if statement is None:
                part = replace(wanted, span=Span(after + 1, upto + 1))
                yield layout.lines(await self._rows(part, after, "ASC", _LINES_AT_ONCE))
                continue
            [(text,)] = await self._session.all(statement, usage_lines.PAIRS, user_id, after, upto, keys, models)
            yield text

    async def change_zone(self, zone: str) -> bool:
        return await rollups.change_zone(self._session, zone)

    async def totals(self, by: SummarySubject, first_day: int, end_day: int, days: Calendar) -> Sequence[UsageTotal]:
        statement = sql.totals(by, await rollups.table(self._session, days, first_day, end_day))
        rows = sql.total(by).read_all(await self._session.all(statement, first_day, end_day))
        return rows if by == "day" else sorted(rows, key=lambda total: -total.charge_pico)

    async def tag_totals(self, name: str | None, span: Span) -> Sequence[UsageTotal]:
        parts = [
            usage_tags.TOTAL.read_all(await self._session.all(*usage_tags.totals(name, after, upto)))
            async for after, upto in self._chunks(span, _SUMMED_AT_ONCE)
        ]
        return usage_tags.added_up(parts)

    async def trends(
        self, by: SummarySubject, first_day: int, end_day: int, days: Calendar, most: int
    ) -> Mapping[str, Mapping[int, UsageTotal]]:
        found: dict[str, dict[int, UsageTotal]] = {}
        statement = sql.trends(by, await rollups.table(self._session, days, first_day, end_day))
        for *columns, day in await self._session.all(statement, first_day, end_day, most):
            total = sql.total(by).read(columns)
            found.setdefault(total.id, {})[day] = total
        return found

    async def expected_rows(self, span: Span, user_id: int | None) -> int:
        by = await self._session.calendar()
        first, last = by.day(span.from_us), by.day(span.to_us - 1)
        row = await self._session.one(sql.EXPECTED, first, last, user_id)
        return int(row[0]) if row else 0

    async def daily_costs(self, provider: str, first_day: int, end_day: int) -> AsyncIterator[DailyCost]:
        async for after, upto in self._chunks(Span(first_day * DAY_US, end_day * DAY_US), _SUMMED_AT_ONCE):
            for row in await self._session.all(sql.DAILY_COSTS, provider, after, upto):
                yield sql.DAILY_COST.read(row)
        for cost in await attempts.daily_costs(self._session, provider, first_day * DAY_US, end_day * DAY_US):
            yield cost

    async def sums(self, span: Span, user_id: int | None) -> AsyncIterator[UsageSums]:
        async for after, upto in self._chunks(span, _SUMMED_AT_ONCE):
            yield await self._by_user(after, upto, user_id)

    async def rows(self, span: Span, user_id: int | None) -> AsyncIterator[Sequence[UsageRow]]:
        """Yields rows in chunks. Each chunk is a read of its own, and rows posted after the first read are left out."""
        statement = f"{sql.ROWS} WHERE u.id > ?1 AND u.id <= ?2 AND (?3 IS NULL OR u.user_id = ?3) ORDER BY u.id"
        async for after, upto in self._chunks(span, _LINES_AT_ONCE):
            yield sql.ROW.read_all(await self._session.all(statement, after, upto, user_id))

    def lines(self, layout: LineLayout, span: Span, user_id: int | None) -> AsyncIterator[ExportLines] | None:
        statement = usage_lines.statement(layout)
        return None if statement is None else self._lines(statement, span, user_id)

    async def _lines(self, statement: str, span: Span, user_id: int | None) -> AsyncIterator[ExportLines]:
        """Yields lines in chunks.

        Each chunk is a read of its own, and rows posted after the first read are left out.
        """
        async for after, upto in self._chunks(span, _LINES_AT_ONCE):
            [(text,)] = await self._session.all(statement, usage_lines.PAIRS, user_id, after, upto)
            sums = await self._by_user(after, upto, user_id)
            yield ExportLines(
                text=text,
                rows=sum([one.rows for one in sums.by_user]),
                cost_pico=sum([one.cost_pico for one in sums.by_user]),
                charge_pico=sum([one.charge_pico for one in sums.by_user]),
                sums=sums,
            )

    async def _chunks(self, span: Span, at_once: int) -> AsyncIterator[tuple[int, int]]:
        """Yields ranges of ids of what is posted by now. Each excludes its lower end."""
        far_us = self._session.clock.now_us() + SLACK_US
        [(last, near)] = await self._session.all(sql.LAST, far_us)
        for after, end in (
            (span.from_us - 1, min(span.to_us, near + 1)),
            # these rows were posted while a clock was far ahead
            (max(span.from_us - 1, far_us), min(span.to_us, last + 1)),
        ):
            while (row := await self._session.one(sql.CHUNK_END, after, end, at_once)) and row[0] is not None:
                yield after, row[0]
                after = row[0]

    async def _by_user(self, after: int, upto: int, user_id: int | None) -> UsageSums:
        rows = await self._session.all(sql.BY_USER, after, upto, user_id)
        return UsageSums(
            first_id=min((row[-2] for row in rows), default=after),
            last_id=max((row[-1] for row in rows), default=upto),
            by_user=tuple(sql.USER_SUM.read_all(rows)),
        )

    async def _rows(self, wanted: UsageFilter, after: int, order: str, limit: int) -> Sequence[UsageRow]:
        where, values = sql.conditions(wanted)
        rows = await self._session.all(
            f"{sql.ROWS} WHERE u.id > ? AND {where} ORDER BY u.id {order} LIMIT ?", after, *values, limit
        )
        return sql.ROW.read_all(rows)


async def row(session: DatabaseSession, usage_id: int) -> UsageRow:
    """Returns a row that must exist."""
    [found] = await session.all(f"{sql.ROWS} WHERE u.id = ?", usage_id)
    return sql.ROW.read(found)

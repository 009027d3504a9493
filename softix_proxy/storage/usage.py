"""What was used: single rows, sums of days, and the lines of an export."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from softix_proxy.domain.calendar import Calendar
from softix_proxy.domain.clock import DAY_US, SLACK_US
from softix_proxy.domain.usage import (
    METERS,
    AttemptRow,
    Correction,
    DailyCost,
    Layout,
    Lines,
    Source,
    Span,
    Subject,
    Sums,
    Total,
    UsageFilter,
    UsageRow,
    UserSum,
)
from softix_proxy.storage import attempts, corrections, rollups
from softix_proxy.storage import usage_sql as sql
from softix_proxy.storage.database import DatabaseRow, DatabaseSession

_LINES_AT_ONCE = 4000
"""One hop to the database's thread each, about 15 ms; no longer, for a reader holds up the WAL's checkpoint."""

_SUMMED_AT_ONCE = 20_000
"""The same, where no lines are built."""


class SqliteUsageStore:
    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def correct(self, correction: Correction) -> UsageRow:
        number = await corrections.post(self._session, correction)
        [row] = await self._session.all(f"SELECT {sql.ROW} FROM usage u {sql.NAMES} WHERE u.id = ?", number)
        return _to_row(row)

    async def corrections(self, row_id: int) -> Sequence[UsageRow]:
        statement = f"SELECT {sql.ROW} FROM usage u {sql.NAMES} WHERE u.corrects_row_id = ? ORDER BY u.request_id"
        return [_to_row(row) for row in await self._session.all(statement, row_id)]

    async def attempts_of(self, row_id: int) -> Sequence[AttemptRow]:
        return await attempts.of(self._session, row_id)

    async def attempts(self, wanted: UsageFilter, limit: int) -> Sequence[AttemptRow]:
        return await attempts.newest(self._session, wanted, limit)

    async def newest(self, wanted: UsageFilter, limit: int) -> Sequence[UsageRow]:
        return await self._rows(wanted, 0, "DESC", limit)

    async def after(self, wanted: UsageFilter, usage_id: int, limit: int) -> Sequence[UsageRow]:
        return await self._rows(wanted, usage_id, "ASC", limit)

    async def by_request(self, request_id: int) -> UsageRow | None:
        row = await self._session.one(f"SELECT {sql.ROW} FROM usage u {sql.NAMES} WHERE u.request_id = ?", request_id)
        return _to_row(row) if row else None

    async def model_ids(self, reference: str) -> Sequence[int]:
        return [row[0] for row in await self._session.all(sql.MODEL_IDS, reference)]

    async def change_zone(self, zone: str) -> bool:
        return await rollups.change_zone(self._session, zone)

    async def totals(self, by: Subject, first_day: int, end_day: int, days: Calendar) -> Sequence[Total]:
        statement = sql.totals(by, await rollups.table(self._session, days, first_day, end_day))
        rows = [_to_total(row) for row in await self._session.all(statement, first_day, end_day)]
        return rows if by == "day" else sorted(rows, key=lambda total: -total.charge_pico)

    async def trends(
        self, by: Subject, first_day: int, end_day: int, days: Calendar, most: int
    ) -> Mapping[str, Mapping[int, Total]]:
        found: dict[str, dict[int, Total]] = {}
        statement = sql.trends(by, await rollups.table(self._session, days, first_day, end_day))
        for *columns, day in await self._session.all(statement, first_day, end_day, most):
            total = _to_total(columns)
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
                yield _to_daily_cost(row)
        for cost in await attempts.daily_costs(self._session, provider, first_day * DAY_US, end_day * DAY_US):
            yield cost

    async def sums(self, span: Span, user_id: int | None) -> AsyncIterator[Sums]:
        async for after, upto in self._chunks(span, _SUMMED_AT_ONCE):
            yield await self._by_user(after, upto, user_id)

    async def lines(self, layout: Layout, span: Span, user_id: int | None) -> AsyncIterator[Lines]:
        """Each chunk is a read of its own; what is posted after the first is left out."""
        statement = sql.lines(layout)
        async for after, upto in self._chunks(span, _LINES_AT_ONCE):
            [(text,)] = await self._session.all(statement, sql.PAIRS, user_id, after, upto)
            sums = await self._by_user(after, upto, user_id)
            rows, costs, charges = zip((0, 0, 0), *(one[1:] for one in sums.by_user), strict=True)
            yield Lines(text, sum(rows), sum(costs), sum(charges), sums=sums)

    async def _chunks(self, span: Span, at_once: int) -> AsyncIterator[tuple[int, int]]:
        """Ranges of ids, open below, of what is posted by now."""
        far_us = self._session.clock.now_us() + SLACK_US
        [(last, near)] = await self._session.all(sql.LAST, far_us)
        for after, end in (
            (span.from_us - 1, min(span.to_us, near + 1)),
            (max(span.from_us - 1, far_us), min(span.to_us, last + 1)),  # what a clock posted that was far ahead
        ):
            while (row := await self._session.one(sql.CHUNK_END, after, end, at_once)) and row[0] is not None:
                yield after, row[0]
                after = row[0]

    async def _by_user(self, after: int, upto: int, user_id: int | None) -> Sums:
        rows = await self._session.all(sql.BY_USER, after, upto, user_id)
        by_user = tuple(
            UserSum(user, count, sql.whole(*sums[:2]), sql.whole(*sums[2:4])) for user, count, *sums in rows
        )
        return Sums(min((row[6] for row in rows), default=after), max((row[7] for row in rows), default=upto), by_user)

    async def _rows(self, wanted: UsageFilter, after: int, order: str, limit: int) -> Sequence[UsageRow]:
        conditions: dict[str, Sequence[object]] = {"u.id > ?": [after]}
        if wanted.span is not None:
            conditions["u.id >= ? AND u.id < ?"] = wanted.span
        if wanted.user_id is not None:
            conditions["u.user_id = ?"] = [wanted.user_id]
        if wanted.key_id is not None:
            conditions["u.key_id = ?"] = [wanted.key_id]
        if wanted.model_ids is not None:
            conditions[f"u.model_id IN ({', '.join('?' * len(wanted.model_ids))})"] = wanted.model_ids
        if wanted.errors_only:
            conditions["u.error IS NOT NULL"] = []
        values = [value for given in conditions.values() for value in given]
        rows = await self._session.all(
            f"SELECT {sql.ROW} FROM usage u {sql.NAMES} WHERE {' AND '.join(conditions)} ORDER BY u.id {order} LIMIT ?",
            *values,
            limit,
        )
        return [_to_row(row) for row in rows]


def _to_row(row: DatabaseRow) -> UsageRow:
    names, stream, quantities, after = row[:13], row[13], row[14 : 14 + len(METERS)], row[14 + len(METERS) :]
    service_tier, price_id, markup_num, markup_den, *numbers, source, note, corrects_row_id, fee_pico, costs = after
    meters = {name: count for name, count in zip(METERS, quantities, strict=True) if count is not None}
    markup = Fraction(markup_num, markup_den)
    quantities_and_price = (meters, service_tier, price_id, markup)
    values: DatabaseRow = (
        *names,
        bool(stream),
        *quantities_and_price,
        *numbers,
        Source(source),
        note,
        corrects_row_id,
        fee_pico,
        costs,
    )
    return UsageRow(*values)


def _to_total(row: Sequence[Any]) -> Total:
    number, name, requests, errors, tokens_in, tokens_out, cost_m, cost_rest, charge_m, charge_rest, _ = row
    cost_pico, charge_pico = sql.whole(cost_m, cost_rest), sql.whole(charge_m, charge_rest)
    return Total(number, name, requests, errors, tokens_in, tokens_out, cost_pico, charge_pico)


def _to_daily_cost(row: DatabaseRow) -> DailyCost:
    day, model, upstream_name, served, source, unpriced, requests, tokens, *sums = row
    cost_pico, hold_pico = sql.whole(*sums[:2]), sql.whole(*sums[2:])
    return DailyCost(
        day, model, upstream_name, served, Source(source), bool(unpriced), requests, tokens, cost_pico, hold_pico
    )

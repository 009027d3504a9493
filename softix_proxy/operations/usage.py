"""What an operator can ask about what was used."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from typing import Literal

from softix_proxy.domain.clock import DAY_US, Clock, parse_instant, period_start_us
from softix_proxy.domain.errors import BadInputError, NotFoundError
from softix_proxy.domain.explanation import Explained, explain_correction
from softix_proxy.domain.explanation import explain as explained
from softix_proxy.domain.ids import parse_request_id
from softix_proxy.domain.ports import Storage, Unit
from softix_proxy.domain.usage import AttemptRow, Layout, Lines, Span, Subject, Total, UsageFilter, UsageRow
from softix_proxy.exports import csv_usage, jsonl_usage
from softix_proxy.exports.columns import Value, fields
from softix_proxy.exports.html_summary import Page, Part
from softix_proxy.operations import users

Format = Literal["csv", "jsonl"]
FORMATS: Mapping[Format, Layout] = {"csv": csv_usage.LAYOUT, "jsonl": jsonl_usage.LAYOUT}
MAX_US = 2**63 - 1
_TRENDS = 20
"""So many subjects are drawn day by day."""
_PARTS: Sequence[Subject] = ("model", "user", "key")


@dataclass(frozen=True, slots=True)
class Summary:
    by: Subject
    span: Span
    totals: Sequence[Total]
    days: Sequence[Total]
    """The same by day; days without a request are left out."""
    trends: Mapping[str, Mapping[int, Total]] = field(default_factory=dict)
    """Of the dearest, day by day: id → day since 1970 → sums."""


@dataclass(frozen=True, slots=True)
class Export:
    expected_rows: int
    """Those of the whole days that it touches, for a progress bar."""
    chunks: AsyncIterator[Lines]
    """The first is the header, if the format has one."""
    last_us: int = MAX_US
    """What is posted after it is left out."""


def parse_span(from_: str, to: str, zone: tzinfo = UTC) -> Span:
    """Raises BadInputError for what is not a date, and for a period that ends before it begins."""
    return _span(parse_instant(from_, zone), parse_instant(to, zone))


def _span(from_us: int, to_us: int) -> Span:
    if from_us >= to_us:
        raise BadInputError("the period is empty", "--to is exclusive and must be after --from")
    return Span(from_us, to_us)


async def newest(
    storage: Storage,
    *,
    limit: int,
    user: str | None = None,
    key: str | None = None,
    model: str | None = None,
    from_: str | None = None,
    to: str | None = None,
    errors_only: bool = False,
) -> Sequence[UsageRow]:
    """The newest first. Raises NotFoundError, BadInputError."""
    unit = storage.reading()
    wanted = UsageFilter(
        span=_span(parse_instant(from_) if from_ else 0, parse_instant(to) if to else MAX_US),
        user_id=(await users.find(unit, user)).id if user else None,
        key_id=await _key_id(unit, key) if key else None,
        model_ids=await model_ids(unit, model) if model else None,
        errors_only=errors_only,
    )
    return await unit.usage.newest(wanted, limit)


async def after(storage: Storage, usage_id: int, limit: int = 1000) -> Sequence[UsageRow]:
    """What was posted since, the oldest first."""
    return await storage.reading().usage.after(UsageFilter(), usage_id, limit)


async def attempts(
    storage: Storage, *, limit: int, user: str | None = None, from_: str | None = None, to: str | None = None
) -> Sequence[AttemptRow]:
    """That failed; the newest first. Raises NotFoundError, BadInputError."""
    unit = storage.reading()
    wanted = UsageFilter(
        span=_span(parse_instant(from_) if from_ else 0, parse_instant(to) if to else MAX_US),
        user_id=(await users.find(unit, user)).id if user else None,
    )
    return await unit.usage.attempts(wanted, limit)


async def explain(storage: Storage, reference: str) -> Explained:
    """By request id. Raises BadInputError, NotFoundError."""
    number = parse_request_id(reference)
    if number is None:
        raise BadInputError(f"not a request id: {reference!r}", "it begins with req_, as in the header of the answer")
    unit = storage.reading()
    row = await unit.usage.by_request(number)
    if row is None:
        raise NotFoundError(f"no usage of {reference}", "it may still be running; else see: softix usage list")
    corrections = await unit.usage.corrections(row.corrects_row_id or row.id)
    sheets = {version.id: version.sheet for version in await unit.prices.list(row.model_id)}
    sheet, cost_sheet = sheets.get(row.price_id or 0), sheets.get(row.cost_price_id or 0)
    attempts = await unit.usage.attempts_of(row.corrects_row_id or row.id)
    if row.corrects_row_id is None:
        return explained(row, sheet, corrections, attempts, cost_sheet)
    [corrected] = await unit.usage.after(UsageFilter(), row.corrects_row_id - 1, 1)
    earlier = [one for one in corrections if one.id < row.id]
    return explain_correction(row, corrected, earlier, sheet, attempts, cost_sheet)


async def for_request(storage: Storage, reference: str, user_id: int) -> dict[str, Value] | None:
    """The row under the export's names; None where there is none, or it is another user's."""
    number = parse_request_id(reference)
    row = None if number is None else await storage.reading().usage.by_request(number)
    return fields(row) if row is not None and row.user_id == user_id else None


async def summary(storage: Storage, by: Subject, from_: str | None, to: str | None) -> Summary:
    """Over whole days; this month where nothing is said. Raises BadInputError."""
    unit = storage.reading()
    span = _whole_days(unit.clock, from_, to)
    first_day, end_day = span.from_us // DAY_US, span.to_us // DAY_US
    days = await unit.usage.totals("day", first_day, end_day)
    if by == "day":
        return Summary(by, span, days, days)
    trends = await unit.usage.trends(by, first_day, end_day, _TRENDS)
    return Summary(by, span, await unit.usage.totals(by, first_day, end_day), days, trends)


async def page(storage: Storage, from_: str | None, to: str | None, version: str) -> Page:
    """Summaries by model, user and key, for one page in HTML. Raises as `summary`."""
    parts = [await summary(storage, by, from_, to) for by in _PARTS]
    shown = [Part(part.by, part.totals, part.trends) for part in parts]
    return Page(parts[0].span, parts[0].days, shown, storage.reading().clock.now_us(), version)


async def export(
    storage: Storage, layout: Layout, span: Span, user: str | None, *, after_id: int | None = None
) -> Export:
    """`after_id`: only what follows this row, and no header. Raises NotFoundError where there is no such user."""
    unit = storage.reading()
    user_id = (await users.find(unit, user)).id if user else None
    if after_id is not None:
        layout, span = replace(layout, header=""), span._replace(from_us=after_id + 1)
    return Export(await unit.usage.expected_rows(span, user_id), _chunks(unit, layout, span, user_id))


async def _chunks(unit: Unit, layout: Layout, span: Span, user_id: int | None) -> AsyncIterator[Lines]:
    """The database's thread makes the next one while the last one is worked on."""
    if layout.header:
        yield Lines(layout.header.encode(), 0, 0, 0)
    chunks = unit.usage.lines(layout, span, user_id)

    async def following() -> Lines | None:
        return await anext(chunks, None)

    task = asyncio.create_task(following())
    try:
        while (chunk := await task) is not None:
            task = asyncio.create_task(following())
            await asyncio.sleep(0)  # so that it begins
            yield chunk
    finally:
        task.cancel()


def _whole_days(clock: Clock, from_: str | None, to: str | None) -> Span:
    now_us = clock.now_us()
    to_us = parse_instant(to) if to else now_us - now_us % DAY_US + DAY_US
    span = _span(parse_instant(from_) if from_ else period_start_us("month", to_us - 1), to_us)
    if span.from_us % DAY_US or span.to_us % DAY_US:
        raise BadInputError(
            "a summary counts whole days (UTC)", "give dates such as 2026-10-01, or: softix usage export"
        )
    return span


async def _key_id(unit: Unit, reference: str) -> int:
    key = await unit.keys.find(reference)
    if key is None:
        raise NotFoundError(f"no key {reference!r}", "see: softix keys list")
    return key.id


async def model_ids(unit: Unit, reference: str) -> Sequence[int]:
    """All that were ever called so. Raises NotFoundError."""
    numbers = await unit.usage.model_ids(reference)
    if not numbers:
        raise NotFoundError(f"no model {reference!r}", "see: softix models list")
    return numbers

"""The queries that an operator can run on usage."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, cast, get_args

from softix_proxy.domain.core.calendar import Calendar, calendar, whole_days
from softix_proxy.domain.core.clock import SLACK_US, Clock, parse_instant
from softix_proxy.domain.core.errors import BadInputError, NotFoundError
from softix_proxy.domain.core.ids import parse_request_id
from softix_proxy.domain.core.spans import Span
from softix_proxy.domain.metering.explanation import Explained, explain_correction
from softix_proxy.domain.metering.explanation import explain as explained
from softix_proxy.domain.metering.usage import (
    MOST_SCANNED,
    AttemptRow,
    ExportLines,
    StatusRange,
    SummarySubject,
    UsageFilter,
    UsageRow,
    UsageSums,
    UsageTotal,
    UserSum,
)
from softix_proxy.domain.metering.usage_tags import checked, checked_name
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.exports.metering import csv_usage, jsonl_usage
from softix_proxy.exports.metering.columns import ColumnValue, fields
from softix_proxy.exports.metering.html_summary import SummaryPage, SummaryTable
from softix_proxy.exports.metering.line_layout import Layout
from softix_proxy.operations.access import users

UsageFormat = Literal["csv", "jsonl"]
FORMATS: Mapping[UsageFormat, Layout] = {"csv": csv_usage.LAYOUT, "jsonl": jsonl_usage.LAYOUT}
MAX_US = 2**63 - 1
END_USER = "end-user"
TAG_OF = "tag:"
"""The subjects of a summary beside `SummarySubject`: the users whom requests name, and the values of a tag."""
_STATUS = re.compile("[1-5](?:[0-9]{2}|xx)", re.ASCII)
_TRENDS = 20
"""The number of subjects that have a curve by day."""
_PARTS: Sequence[SummarySubject] = ("model", "user", "key")


@dataclass(frozen=True, slots=True)
class UsageSummary:
    by: str
    """A `SummarySubject`, or what `parse_subject` reads beside these."""
    zone: str
    """The IANA name of the time zone of the days."""
    first_day: int
    end_day: int
    """The exclusive end, in days since 1970."""
    totals: Sequence[UsageTotal]
    days: Sequence[UsageTotal]
    """The totals by day. Days without a request are left out."""
    trends: Mapping[str, Mapping[int, UsageTotal]] = field(default_factory=dict)
    """The daily sums of the most expensive subjects: id → day since 1970 → sums."""


@dataclass(frozen=True, slots=True)
class UsageExport:
    expected_rows: int
    """The number of rows in all days that the span touches. A progress bar uses it."""
    chunks: AsyncIterator[ExportLines]
    """The chunks of the export. The first one is the header, if the format has one."""
    last_us: int = MAX_US
    """The last instant of the export. Later postings are left out."""


def parse_span(from_: str | None, to: str | None, zone: str = "UTC") -> Span:
    """Reads a span. An end that is not given is open. Dates begin at midnight in the zone.

    Raises BadInputError for a text that is not a date, and for a span that ends before it begins.
    """
    there = calendar(zone).zone
    return _span(parse_instant(from_, there) if from_ else 0, parse_instant(to, there) if to else MAX_US)


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
    zone: str = "UTC",
    errors_only: bool = False,
    statuses: Sequence[str] = (),
    tags: Sequence[str] = (),
) -> Sequence[UsageRow]:
    """Returns the usage rows, the newest first. Raises NotFoundError, BadInputError."""
    unit, span = storage.reading(), parse_span(from_, to, zone)
    named = await filter_of(
        unit, user=user, key=key, model=model, errors_only=errors_only, statuses=statuses, tags=tags
    )
    return await unit.usage.newest(replace(named, span=span), limit)


async def filter_of(
    unit: Unit,
    *,
    user: str | None = None,
    key: str | None = None,
    model: str | None = None,
    errors_only: bool = False,
    statuses: Sequence[str] = (),
    tags: Sequence[str] = (),
) -> UsageFilter:
    """Returns the filter for the rows of what is named. Raises NotFoundError, BadInputError."""
    return UsageFilter(
        user_id=(await users.find(unit, user)).id if user is not None else None,
        key_id=await _key_id(unit, key) if key is not None else None,
        model_ids=await model_ids(unit, model) if model is not None else None,
        errors_only=errors_only,
        statuses=parse_statuses(statuses),
        tags=checked(tags),
    )


def parse_statuses(texts: Sequence[str]) -> Sequence[StatusRange]:
    """Reads HTTP statuses such as `429` and `5xx`. Raises BadInputError."""
    found = []
    for text in texts:
        match = _STATUS.fullmatch(text.strip().lower())
        if match is None:
            raise BadInputError(f"not a status: {text!r}", "write a status such as 429, or a class of them such as 5xx")
        number = match[0].replace("x", "0")
        found.append(StatusRange(int(number), int(number) + (99 if "x" in match[0] else 0)))
    return found


class UsageTail:
    """The end of usage, and then what is added to it. Each look reads only the rows that were added since the last."""

    def __init__(self, storage: Storage, wanted: UsageFilter) -> None:
        self._unit = storage.reading()
        self._wanted = wanted
        self._seen = 0
        """The id of the last row that was looked at, whether the filter selects it or not."""

    async def begin(self, limit: int) -> Sequence[UsageRow]:
        """Returns the last rows of the filter, the oldest first. It looks at the last 400,000 rows of all."""
        self._seen = await self._unit.usage.last(self._unit.clock.now_us() + SLACK_US)
        upto = Span(0, await self._unit.usage.last(MAX_US) + 1)
        rows = await self._unit.usage.newest(replace(self._wanted, span=upto), limit, MOST_SCANNED)
        return list(reversed(rows))

    async def added(self, limit: int = 1000) -> Sequence[UsageRow]:
        """Returns the next rows, the oldest first.

        It leaves out rows that lie in the future because the clock was ahead.
        """
        now_us = self._unit.clock.now_us()
        if self._seen >= now_us + SLACK_US:  # the clock was set back
            self._seen = now_us
        last = await self._unit.usage.last(now_us + SLACK_US)
        if last <= self._seen:
            return ()
        upto = Span(0, last + 1)
        rows = await self._unit.usage.after(replace(self._wanted, span=upto), self._seen, limit)
        self._seen = rows[-1].id if len(rows) == limit else last
        return rows


async def attempts(
    storage: Storage,
    *,
    limit: int,
    user: str | None = None,
    from_: str | None = None,
    to: str | None = None,
    zone: str = "UTC",
) -> Sequence[AttemptRow]:
    """Returns the attempts that failed, the newest first. Raises NotFoundError, BadInputError."""
    unit = storage.reading()
    wanted = UsageFilter(
        span=parse_span(from_, to, zone),
        user_id=(await users.find(unit, user)).id if user is not None else None,
    )
    return await unit.usage.attempts(wanted, limit)


async def explain(storage: Storage, reference: str) -> Explained:
    """Returns one request by its request id, with all that explains it. Raises BadInputError, NotFoundError."""
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
    earlier = [one for one in corrections if one.request_id < row.request_id]  # their row ids may be from any day
    return explain_correction(row, corrected, earlier, sheet, attempts, cost_sheet)


async def for_request(storage: Storage, reference: str, user_id: int) -> dict[str, ColumnValue] | None:
    """Returns the row under the names of the export. Returns None if there is none, or if it is another user's."""
    number = parse_request_id(reference)
    row = None if number is None else await storage.reading().usage.by_request(number)
    return fields(row) if row is not None and row.user_id == user_id else None


def parse_subject(by: str) -> SummarySubject | None:
    """Reads the subject of a summary. Returns None for `end-user`, and for `tag:` and a tag's name.

    Raises BadInputError.
    """
    if by in get_args(SummarySubject):
        return cast(SummarySubject, by)  # it is one of the words that the type lists
    if by != END_USER:
        try:
            checked_name(by.removeprefix(TAG_OF) if by.startswith(TAG_OF) else "")
        except ValueError:
            known = ", ".join((*get_args(SummarySubject), END_USER))
            raise BadInputError(f"nothing is summed up by {by!r}", f"choose {known}, or tag:NAME") from None
    return None


async def summary(
    storage: Storage, by: str, from_: str | None, to: str | None, zone: str | None = None
) -> UsageSummary:
    """Returns the sums over whole days. Without dates it returns those of this month.

    The days are those of `zone`. If it is None, they are those in which sums are kept. Raises BadInputError.
    """
    unit, subject = storage.reading(), parse_subject(by)
    at = calendar(zone) if zone else await unit.instance.calendar()
    first_day, end_day = _days(unit.clock, at, from_, to)
    days = await unit.usage.totals("day", first_day, end_day, at)
    if subject is None:
        span = Span(at.start_us(first_day), at.start_us(end_day))
        found = await unit.usage.tag_totals(None if by == END_USER else by.removeprefix(TAG_OF), span)
        return UsageSummary(by, at.name, first_day, end_day, found, days)
    if subject == "day":
        return UsageSummary(by, at.name, first_day, end_day, days, days)
    trends = await unit.usage.trends(subject, first_day, end_day, at, _TRENDS)
    totals = await unit.usage.totals(subject, first_day, end_day, at)
    return UsageSummary(by, at.name, first_day, end_day, totals, days, trends)


async def page(
    storage: Storage, from_: str | None, to: str | None, version: str, zone: str | None = None
) -> SummaryPage:
    """Returns the summaries by model, user and key for one HTML page. Raises as `summary`."""
    parts = [await summary(storage, by, from_, to, zone) for by in _PARTS]
    shown, first = (
        [SummaryTable(by, part.totals, part.trends) for by, part in zip(_PARTS, parts, strict=True)],
        parts[0],
    )
    now_us = storage.reading().clock.now_us()
    return SummaryPage(first.zone, first.first_day, first.end_day, first.days, shown, now_us, version)


async def export(
    storage: Storage,
    layout: Layout,
    span: Span,
    user: str | None,
    *,
    after_id: int | None = None,
    tags: Sequence[str] = (),
) -> UsageExport:
    """Exports the rows of a span. `after_id` exports only the rows after this one, and no header.

    `tags` exports only the rows that have all of these.

    Raises NotFoundError if there is no such user.
    """
    unit = storage.reading()
    user_id = (await users.find(unit, user)).id if user is not None else None
    if after_id is not None:
        layout, span = replace(layout, header=""), span._replace(from_us=after_id + 1)
    return UsageExport(await unit.usage.expected_rows(span, user_id), _chunks(unit, layout, span, user_id, tags))


async def _chunks(
    unit: Unit, layout: Layout, span: Span, user_id: int | None, tags: Sequence[str]
) -> AsyncIterator[ExportLines]:
    """Yields the chunks. The database's thread makes the next one while the caller works on the last one."""
    if layout.header:
        yield ExportLines(layout.header.encode(), 0, 0, 0)
    chunks = None if tags else unit.usage.lines(layout, span, user_id)
    chunks = chunks or _lines_of_rows(unit, layout, span, user_id, tags)

    async def following() -> ExportLines | None:
        return await anext(chunks, None)

    task = asyncio.create_task(following())
    try:
        while (chunk := await task) is not None:
            task = asyncio.create_task(following())
            await asyncio.sleep(0)  # lets the task begin
            yield chunk
    finally:
        task.cancel()


async def _lines_of_rows(
    unit: Unit, layout: Layout, span: Span, user_id: int | None, tags: Sequence[str]
) -> AsyncIterator[ExportLines]:
    """Makes the lines from rows: of those with these tags, or for a store that cannot make lines itself."""
    wanted = frozenset(tags)
    async for rows in unit.usage.rows(span, user_id):
        if wanted:
            rows = [row for row in rows if wanted.issubset(row.tags.split(" "))]
        sums = _sums(rows)
        costs, charges = [one.cost_pico for one in sums.by_user], [one.charge_pico for one in sums.by_user]
        yield ExportLines(layout.lines(rows), len(rows), sum(costs), sum(charges), sums=sums)


def _sums(rows: Sequence[UsageRow]) -> UsageSums:
    by_user: dict[str, UserSum] = {}
    for row in rows:
        name = row.user_public_id or f"user {row.user_id}"
        known = by_user.get(name, UserSum(name, 0, 0, 0))
        by_user[name] = UserSum(
            user_id=name,
            rows=known.rows + 1,
            cost_pico=known.cost_pico + row.cost_pico,
            charge_pico=known.charge_pico + row.charge_pico,
        )
    return UsageSums(rows[0].id if rows else 0, rows[-1].id if rows else 0, tuple(by_user.values()))


def _days(clock: Clock, at: Calendar, from_: str | None, to: str | None) -> tuple[int, int]:
    to_us = parse_instant(to, at.zone) if to else at.at(clock.now_us()).end_us
    from_us = parse_instant(from_, at.zone) if from_ else at.at(to_us - 1).month_us
    return whole_days(at, *_span(from_us, to_us))


async def _key_id(unit: Unit, reference: str) -> int:
    key = await unit.keys.find(reference)
    if key is None:
        raise NotFoundError(f"no key {reference!r}", "see: softix keys list")
    return key.id


async def model_ids(unit: Unit, reference: str) -> Sequence[int]:
    """Returns the ids of all models that ever had this name. Raises NotFoundError."""
    numbers = await unit.usage.model_ids(reference)
    if not numbers:
        raise NotFoundError(f"no model {reference!r}", "see: softix models list")
    return numbers

"""The usage of an organisation, as its members see it: sums, rows, single requests, and lines of an export.

Days are those of the billing zone, in which sums are kept.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import NamedTuple

from softix_proxy.domain.access.keys import Key
from softix_proxy.domain.access.permissions import Permission
from softix_proxy.domain.core.calendar import Calendar, date_of, day_of
from softix_proxy.domain.core.errors import BadInputError, NotFoundError
from softix_proxy.domain.core.ids import parse_request_id
from softix_proxy.domain.core.spans import Span
from softix_proxy.domain.metering.explanation import Explained
from softix_proxy.domain.metering.usage import UsageFilter, UsagePart, UsageTotal, add_up
from softix_proxy.domain.organisations.projects import Project
from softix_proxy.domain.ports.storage import Unit
from softix_proxy.exports.metering import csv_usage
from softix_proxy.operations.metering import usage
from softix_proxy.operations.organisations.organisation_scope import OrganisationScope

USUAL_DAYS = 30
MOST_DAYS = 366
ROWS_AT_ONCE = 50
SERIES = 6
"""The models that a chart tells apart. The others are added up."""
_YEARS = range(2000, 9000)


class DayPeriod(NamedTuple):
    """Whole days of the billing zone."""

    zone: str
    first_day: int
    end_day: int
    """The exclusive end, in days since 1970."""
    span: Span

    @property
    def first(self) -> date:
        return date_of(self.first_day)

    @property
    def last(self) -> date:
        return date_of(self.end_day - 1)


@dataclass(frozen=True, slots=True)
class AskedUsage:
    """What a member asks for, as texts. An empty text asks for anything."""

    first: str = ""
    """The first day, such as `2026-11-01`."""
    last: str = ""
    key: str = ""
    """The public id of a key."""
    model: str = ""
    """`provider/model`."""
    project: str = ""
    """The public id of a project. It stands for the keys that belong to it now."""
    errors_only: bool = False
    """Whether the list of requests has failed ones only. Sums and files have all."""


class UsageSelection(NamedTuple):
    period: DayPeriod
    wanted: UsageFilter
    key: Key | None


@dataclass(frozen=True, slots=True)
class UsageView:
    """What was used in a period, as far as the filter allows it."""

    period: DayPeriod
    whole: UsageTotal
    days: Sequence[UsageTotal]
    models: Sequence[UsageTotal]
    keys: Sequence[UsageTotal]
    trends: Mapping[str, Mapping[int, UsageTotal]]
    """The daily sums of the most expensive models: name → day since 1970 → sums."""
    part: UsagePart
    used_keys: Sequence[UsageTotal] = field(default_factory=tuple)
    """All keys that were used in the period, whatever the filter."""
    used_models: Sequence[UsageTotal] = field(default_factory=tuple)
    projects: Sequence[Project] = ()
    """The projects of the organisation."""
    selected_key: Key | None = None


async def view(scope: OrganisationScope, asked: AskedUsage, before: int | None = None) -> UsageView:
    """Returns sums, and the newest rows with an id below `before`.

    Raises NotFoundError for a key of others, and BadInputError for a period that is none.
    """
    async with scope.storage.snapshot() as unit:
        period, wanted, key = await _selected(scope, unit, asked)
        days_of = (period.first_day, period.end_day)
        days = await unit.usage.totals_of(wanted, "day", *days_of)
        models = await unit.usage.totals_of(wanted, "model", *days_of)
        keys = await unit.usage.totals_of(wanted, "key", *days_of)
        all_keys, all_models = keys, models
        if (wanted.key_id, wanted.key_ids, wanted.model_ids) != (None, None, None):
            whole = UsageFilter(user_id=wanted.user_id)
            all_keys = await unit.usage.totals_of(whole, "key", *days_of)
            all_models = await unit.usage.totals_of(whole, "model", *days_of)
        trends = await unit.usage.trends_of(wanted, "model", *days_of, SERIES)
        listed = replace(wanted, errors_only=asked.errors_only)
        part = await unit.usage.newest_of(_before(listed, period, before), ROWS_AT_ONCE)
        projects = await unit.projects.list(scope.organisation.id)
    return UsageView(period, add_up(days), days, models, keys, trends, part, all_keys, all_models, projects, key)


async def models_used(scope: OrganisationScope) -> Sequence[UsageTotal]:
    """Returns the models of the last thirty days, the most expensive first."""
    async with scope.storage.snapshot() as unit:
        period, wanted, _ = await _selected(scope, unit, AskedUsage())
        return await unit.usage.totals_of(wanted, "model", period.first_day, period.end_day)


async def csv_lines(scope: OrganisationScope, asked: AskedUsage) -> tuple[DayPeriod, AsyncGenerator[bytes, None]]:
    """Returns the lines of the same rows, as `softix usage export` writes them, in constant memory.

    Raises the errors of `view` at once, before the first line.
    """
    unit = scope.storage.reading()
    period, wanted, _ = await _selected(scope, unit, asked)
    return period, _with_header(unit, wanted)


async def explain(scope: OrganisationScope, reference: str) -> Explained:
    """Returns one request with all that explains its price. Raises NotFoundError."""
    scope.require(Permission.USAGE_READ)
    number = parse_request_id(reference)
    row = None if number is None else await scope.storage.reading().usage.by_request(number)
    if row is None or row.user_id != scope.organisation.id:
        raise NotFoundError("there is no such request", "")
    return await usage.explain(scope.storage, reference)


def period_of(at: Calendar, now_us: int, first: str, last: str) -> DayPeriod:
    """Returns the days from `first` to `last`. Without dates, these are the last thirty.

    Raises BadInputError.
    """
    today = at.day(now_us)
    end_day = (_day(last) if last else max(today, _day(first) if first else today)) + 1
    first_day = _day(first) if first else end_day - USUAL_DAYS
    if first_day >= end_day:
        raise BadInputError("the first day is after the last", "choose the days the other way round")
    if end_day - first_day > MOST_DAYS:
        raise BadInputError(f"a period has at most {MOST_DAYS} days", "choose a shorter one")
    return DayPeriod(at.name, first_day, end_day, Span(at.start_us(first_day), at.start_us(end_day)))


async def _selected(scope: OrganisationScope, unit: Unit, asked: AskedUsage) -> UsageSelection:
    scope.require(Permission.USAGE_READ)
    period = period_of(await unit.instance.calendar(), unit.clock.now_us(), asked.first, asked.last)
    key = await scope.key(unit, asked.key) if asked.key else None
    wanted = UsageFilter(
        span=period.span,
        user_id=scope.organisation.id,
        key_id=None if key is None else key.id,
        key_ids=await _keys_of_project(scope, unit, asked.project) if asked.project else None,
        model_ids=await unit.usage.model_ids(asked.model) if asked.model else None,
    )
    return UsageSelection(period, wanted, key)


async def _keys_of_project(scope: OrganisationScope, unit: Unit, public_id: str) -> Sequence[int]:
    """Returns the numbers of the keys of a project. Raises NotFoundError."""
    project = await scope.project(unit, public_id)
    owners = await unit.key_owners.list(scope.organisation.id)
    return [key_id for key_id, owner in owners.items() if owner.project_id == project.id]


def _before(wanted: UsageFilter, period: DayPeriod, before: int | None) -> UsageFilter:
    if before is None:
        return wanted
    return replace(wanted, span=Span(period.span.from_us, min(max(before, period.span.from_us), period.span.to_us)))


async def _with_header(unit: Unit, wanted: UsageFilter) -> AsyncGenerator[bytes, None]:
    yield csv_usage.LAYOUT.header.encode()
    async for lines in unit.usage.lines_of(csv_usage.LAYOUT, wanted):
        yield lines


def _day(text: str) -> int:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise BadInputError("this is not a day", "write it as 2026-10-01") from None
    if day.year not in _YEARS:
        raise BadInputError("there are no figures of this year", "choose a later day")
    return day_of(day)

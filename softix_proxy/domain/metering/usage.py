"""What is counted: disjoint meters, where a count came from, and the rows that are kept of it.

A meter that was not reported is absent, not 0.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from softix_proxy.domain.core.spans import Span
from softix_proxy.domain.pricing.meters import Meters

if TYPE_CHECKING:
    from softix_proxy.domain.core.calendar import Calendar


class UsageSource(StrEnum):
    """How the quantities of a usage row are known."""

    PROVIDER = "provider"
    """Reported by the provider at the end of the answer: exact."""
    PARTIAL = "partial"
    """The answer was cut; the provider's last cumulative report."""
    ESTIMATE = "estimate"
    """Without a report, or beside one that cannot be true: counted from what passed through."""
    INTERRUPTED = "interrupted"
    """The daemon died in between; the provider may have worked."""
    NONE = "none"
    """Nothing was produced: the provider refused or was not reached."""
    CORRECTION = "correction"
    """A change to what an earlier row says; its amounts are differences."""


SummarySubject = Literal["user", "key", "model", "provider", "day"]
"""What a summary adds up by."""


@dataclass(frozen=True, slots=True)
class UsageRow:
    """One request, as it was posted, with the names of what it refers to."""

    id: int
    """Also when it was posted, in microseconds; strictly increasing."""
    request_id: int
    usage_at_us: int
    user_id: int
    user_public_id: str
    user_name: str
    key_public_id: str
    key_prefix: str
    provider: str
    model_id: int
    model: str
    """The name that was asked for."""
    model_served: str | None
    endpoint: str
    stream: bool
    meters: Meters
    service_tier: str | None
    price_id: int | None
    markup: Fraction
    cost_pico: int
    charge_pico: int
    hold_pico: int
    status_code: int
    error: str | None
    latency_ms: int
    ttfb_ms: int | None
    attempts: int
    source: UsageSource
    note: str | None
    corrects_row_id: int | None = None
    fee_pico: int = 0
    """The fee for the request, which is part of the charge."""
    cost_price_id: int | None = None
    """The price version of the cost. None: `price_id` is that of both; 0: the provider's price was unknown."""


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """An attempt that failed before another target, or the same once more, served the request or failed as well."""

    usage_id: int
    """Of the request's row."""
    sequence: int
    """1 is the first that was made."""
    request_id: int
    user_public_id: str
    user_name: str
    provider: str
    model: str
    status_code: int
    error: str | None
    latency_ms: int
    source: UsageSource
    meters: Meters
    service_tier: str | None
    price_id: int | None
    markup: Fraction
    bound_pico: int
    cost_pico: int
    charge_pico: int
    """Part of what the request's row charges."""
    cost_price_id: int | None = None
    """As in `UsageRow`."""


@dataclass(frozen=True, slots=True)
class UsageFilter:
    """Which rows; None is any."""

    span: Span | None = None
    user_id: int | None = None
    key_id: int | None = None
    model_ids: Sequence[int] | None = None
    errors_only: bool = False


@dataclass(frozen=True, slots=True)
class UsageTotal:
    """Sums over whole days of posting for one subject."""

    id: str
    """Public id; for a model `provider/model`, for a provider its name, for a day its date."""
    name: str
    requests: int
    errors: int
    input_tokens: int
    output_tokens: int
    cost_pico: int
    charge_pico: int


def add_up(totals: Sequence[UsageTotal], name: str = "total") -> UsageTotal:
    return UsageTotal(
        name,
        name,
        sum(total.requests for total in totals),
        sum(total.errors for total in totals),
        sum(total.input_tokens for total in totals),
        sum(total.output_tokens for total in totals),
        sum(total.cost_pico for total in totals),
        sum(total.charge_pico for total in totals),
    )


class DailyCost(NamedTuple):
    """What the requests of one day of posting cost that are alike in all else that is named here."""

    day: int
    """Days since 1970, UTC."""
    model: str
    """The name that was asked for."""
    upstream_name: str
    model_served: str | None
    source: UsageSource
    unpriced: bool
    """Something was reported of which softix does not know what the provider asks: it is missing in the cost."""
    requests: int
    tokens: int
    """Of both directions."""
    cost_pico: int
    hold_pico: int


class LineLayout(Protocol):
    """A format of export in which each row is a line. Which columns it has is the exports' business."""

    def lines(self, rows: Sequence[UsageRow]) -> bytes: ...


class UserSum(NamedTuple):
    user_id: str
    """Public id."""
    rows: int
    cost_pico: int
    charge_pico: int


class UsageSums(NamedTuple):
    """What some consecutive rows sum up to, by user."""

    first_id: int
    last_id: int
    by_user: Sequence[UserSum]


class ExportLines(NamedTuple):
    """Some consecutive lines of an export, and what their rows sum up to."""

    text: bytes
    rows: int
    cost_pico: int
    charge_pico: int
    file: str = ""
    """Whose they are, where an export has names for its files; the lines of one come together."""
    sums: UsageSums | None = None
    """The same by user; None where it was not counted."""


@dataclass(frozen=True, slots=True)
class Correction:
    """What an earlier row should have said, as differences in pico-USD."""

    corrects: UsageRow
    request_id: int
    """Of its own: a row has one."""
    cost_pico: int
    charge_pico: int
    price_id: int | None
    markup: Fraction
    note: str
    fee_pico: int = 0
    cost_price_id: int | None = None
    """As in `UsageRow`."""


class UsageStore(Protocol):
    """Reads usage rows and sums them up."""

    async def corrections(self, row_id: int) -> Sequence[UsageRow]:
        """Of that row, the oldest first."""
        ...

    async def attempts_of(self, row_id: int) -> Sequence[AttemptRow]:
        """What preceded that row and failed, in its order."""
        ...

    async def attempts(self, wanted: UsageFilter, limit: int) -> Sequence[AttemptRow]:
        """By period and user; the newest first."""
        ...

    async def newest(self, wanted: UsageFilter, limit: int) -> Sequence[UsageRow]:
        """The newest first."""
        ...

    async def after(self, wanted: UsageFilter, usage_id: int, limit: int) -> Sequence[UsageRow]:
        """What was posted after that row, the oldest first."""
        ...

    async def by_request(self, request_id: int) -> UsageRow | None: ...

    async def model_ids(self, reference: str) -> Sequence[int]:
        """All that were ever called so (`model` or `provider/model`), removed ones too."""
        ...

    async def change_zone(self, zone: str) -> bool:
        """Sums up anew by the days of that zone, in one transaction; False where they are by them already."""
        ...

    async def totals(self, by: SummarySubject, first_day: int, end_day: int, days: Calendar) -> Sequence[UsageTotal]:
        """Sums over days since 1970 from `first_day` to before `end_day`; dearest first, days in their order.

        By the days of any calendar; quick for those of `calendar()`, of which the sums are kept.
        """
        ...

    async def trends(
        self, by: SummarySubject, first_day: int, end_day: int, days: Calendar, most: int
    ) -> Mapping[str, Mapping[int, UsageTotal]]:
        """Of the `most` dearest subjects: id → day since 1970 → sums of that day; days without a request are absent."""
        ...

    def daily_costs(self, provider: str, first_day: int, end_day: int) -> AsyncIterator[DailyCost]:
        """What was used of the providers of this name, from `first_day` to before `end_day`, in constant memory.

        The sums are of some consecutive rows each: what is alike may come again. Attempts that failed, and that the
        provider may have billed, count as requests. Corrections count on the day on which
        their request is booked, and as no request.
        """
        ...

    async def expected_rows(self, span: Span, user_id: int | None) -> int:
        """How many rows were posted on the days that the span touches; cheap, for a progress bar."""
        ...

    def sums(self, span: Span, user_id: int | None) -> AsyncIterator[UsageSums]:
        """Of all rows that are posted by now, some at a time, in constant memory."""
        ...

    def rows(self, span: Span, user_id: int | None) -> AsyncIterator[Sequence[UsageRow]]:
        """All rows that are posted by now, in their order, a few thousand at a time, in constant memory.

        Portions without any row of that user come too, empty, so that progress is seen.
        """
        ...

    def lines(self, layout: LineLayout, span: Span, user_id: int | None) -> AsyncIterator[ExportLines] | None:
        """The lines of the same rows, where the store can make them itself, which is quicker; else None."""
        ...

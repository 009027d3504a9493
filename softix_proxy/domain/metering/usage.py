"""The usage of requests: disjoint meters, the source of each count, and the rows that are stored.

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
    """The source of the quantities of a usage row."""

    PROVIDER = "provider"
    """The provider reported them at the end of the response, so they are exact."""
    PARTIAL = "partial"
    """The response was cut off, and they are the provider's last cumulative report."""
    ESTIMATE = "estimate"
    """They were counted from what passed through, because the report is missing or cannot be true."""
    INTERRUPTED = "interrupted"
    """Nobody knows what the provider did: the daemon died in between, or the client left before the end was seen."""
    NONE = "none"
    """Nothing was produced, because the provider refused or was not reached."""
    CORRECTION = "correction"
    """The row changes what an earlier row says. Its amounts are differences."""


MOST_SCANNED = 400_000
"""The rows of all users that are passed for one part of one user's rows. They take a quarter of a second."""
SummarySubject = Literal["user", "key", "model", "provider", "day"]
"""The kind of thing by which a summary adds up."""


@dataclass(frozen=True, slots=True)
class UsageRow:
    """One request as it was posted, with the names of what it refers to."""

    id: int
    """The id, which is also the time of posting in microseconds. It increases strictly."""
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
    """The name that the client requested."""
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
    """The price version of the cost. None: `price_id` is that of both. 0: the provider's price was unknown."""
    tags: str = ""
    """The tags of the request, as they are stored: see `usage_tags`. A correction has those of the corrected row."""
    end_user: str = ""
    """The keyed digest of the user whom the request named, if its key asked for it."""


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """An attempt that failed and was followed by another one, at another target or at the same."""

    usage_id: int
    """The id of the request's row."""
    sequence: int
    """The number of the attempt. The first has 1."""
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
    """The part of the charge of the request's row that is for this attempt."""
    cost_price_id: int | None = None
    """The same as in `UsageRow`."""


class StatusRange(NamedTuple):
    """HTTP statuses from the first to the last, both included."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class UsageFilter:
    """Selects rows. None allows any."""

    span: Span | None = None
    user_id: int | None = None
    key_id: int | None = None
    key_ids: Sequence[int] | None = None
    """Any of these keys."""
    model_ids: Sequence[int] | None = None
    errors_only: bool = False
    statuses: Sequence[StatusRange] = ()
    """Any of these HTTP statuses. Empty allows all."""
    tags: Sequence[str] = ()
    """All of these tags. Empty allows all rows."""
    end_user: str | None = None
    """This keyed digest of a user whom requests named."""


EVERY_ROW = UsageFilter()


class UsagePart(NamedTuple):
    """Some of the rows of a filter, the newest first."""

    rows: Sequence[UsageRow]
    before: int | None
    """The id below which the next part begins. None if no row is left."""


@dataclass(frozen=True, slots=True)
class UsageTotal:
    """The sums over whole days of posting for one subject."""

    id: str
    """The public id of a user or key, `provider/model` of a model, the name of a provider, or the date of a day."""
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
    """The cost of the requests of one day of posting that are alike in all else that is named here."""

    day: int
    """The number of days since 1970, UTC."""
    model: str
    """The name that the client requested."""
    upstream_name: str
    model_served: str | None
    source: UsageSource
    unpriced: bool
    """Whether something was reported for which softix does not know the provider's price. The cost lacks it."""
    requests: int
    tokens: int
    """The tokens of both directions."""
    cost_pico: int
    hold_pico: int


class LineLayout(Protocol):
    """A format of export in which each row is a line. The exports decide which columns it has."""

    def lines(self, rows: Sequence[UsageRow]) -> bytes: ...


class UserSum(NamedTuple):
    user_id: str
    """The public id of the user."""
    rows: int
    cost_pico: int
    charge_pico: int


class UsageSums(NamedTuple):
    """The sums of some consecutive rows, by user."""

    first_id: int
    last_id: int
    by_user: Sequence[UserSum]


class ExportLines(NamedTuple):
    """Some consecutive lines of an export, and the sums of their rows."""

    text: bytes
    rows: int
    cost_pico: int
    charge_pico: int
    file: str = ""
    """The file to which the lines belong, if an export has several files. The lines of one file come together."""
    sums: UsageSums | None = None
    """The same sums by user. They are None if they were not counted."""


@dataclass(frozen=True, slots=True)
class Correction:
    """The correction of an earlier row, as differences in pico-USD."""

    corrects: UsageRow
    request_id: int
    """The correction's own request id, because every row has one."""
    cost_pico: int
    charge_pico: int
    price_id: int | None
    markup: Fraction
    note: str
    fee_pico: int = 0
    cost_price_id: int | None = None
    """The same as in `UsageRow`."""


class UsageStore(Protocol):
    """Reads usage rows and sums them up."""

    async def corrections(self, row_id: int) -> Sequence[UsageRow]:
        """Returns the corrections of that row, the oldest first."""
        ...

    async def attempts_of(self, row_id: int) -> Sequence[AttemptRow]:
        """Returns the failed attempts that preceded that row, in their order."""
        ...

    async def attempts(self, wanted: UsageFilter, limit: int) -> Sequence[AttemptRow]:
        """Returns attempts by period and user, the newest first."""
        ...

    async def newest(self, wanted: UsageFilter, limit: int, most_scanned: int | None = None) -> Sequence[UsageRow]:
        """Returns the newest rows, the newest first. With `most_scanned` it looks at about so many of all rows."""
        ...

    async def after(self, wanted: UsageFilter, usage_id: int, limit: int) -> Sequence[UsageRow]:
        """Returns the rows that were posted after that row, the oldest first."""
        ...

    async def last(self, upto_us: int) -> int:
        """Returns the id of the last row that is not after that instant, or 0 if there is none."""
        ...

    async def by_request(self, request_id: int) -> UsageRow | None: ...

    async def by_ids(self, row_ids: Sequence[int]) -> Sequence[UsageRow]:
        """Returns the rows with these ids, in no order."""
        ...

    async def model_ids(self, reference: str) -> Sequence[int]:
        """Returns the ids of all models that ever had this name (`model` or `provider/model`), even removed ones."""
        ...

    async def totals_of(
        self, wanted: UsageFilter, by: SummarySubject, first_day: int, end_day: int
    ) -> Sequence[UsageTotal]:
        """Returns the same as `totals` for one user, whose id the filter must have. The days are those of `calendar()`.

        It reads the sums of the user's own keys alone, however many others there are. The span of the filter and
        `errors_only` do not count.
        """
        ...

    async def trends_of(
        self, wanted: UsageFilter, by: SummarySubject, first_day: int, end_day: int, most: int
    ) -> Mapping[str, Mapping[int, UsageTotal]]:
        """Returns the same as `trends` for one user, as `totals_of` does."""
        ...

    async def newest_of(self, wanted: UsageFilter, limit: int, most_scanned: int = MOST_SCANNED) -> UsagePart:
        """Returns the newest rows of one user. The filter must have the user's id and a span.

        It passes about `most_scanned` rows of all users. So a part may have fewer rows than the limit, or none, and
        others may follow.
        """
        ...

    def lines_of(self, layout: LineLayout, wanted: UsageFilter) -> AsyncIterator[bytes]:
        """Yields the lines of one user's rows, the oldest first, in constant memory, by a filter as in `newest_of`."""
        ...

    async def change_zone(self, zone: str) -> bool:
        """Sums up anew by the days of that zone, in one transaction.

        Returns False if the sums are by these days already.
        """
        ...

    async def totals(self, by: SummarySubject, first_day: int, end_day: int, days: Calendar) -> Sequence[UsageTotal]:
        """Returns sums over the days since 1970 from `first_day` to before `end_day`.

        The most expensive subject comes first, and days come in their order. The days may be those of any calendar. It
        is quick for those of `calendar()`, because their sums are stored.
        """
        ...

    async def trends(
        self, by: SummarySubject, first_day: int, end_day: int, days: Calendar, most: int
    ) -> Mapping[str, Mapping[int, UsageTotal]]:
        """Returns the sums of each day of the `most` most expensive subjects: id → day since 1970 → sums.

        Days without a request are absent.
        """
        ...

    async def tag_totals(self, name: str | None, span: Span) -> Sequence[UsageTotal]:
        """Returns the sums of the rows that were posted in the span, by the value of this tag.

        The id and name of a sum is the value. Both are empty for the rows without the tag. For None the sums are by the
        digest of the user whom requests named. The most expensive comes first. It reads every row of the span.
        """
        ...

    def daily_costs(self, provider: str, first_day: int, end_day: int) -> AsyncIterator[DailyCost]:
        """Yields the usage of the providers of this name, from `first_day` to before `end_day`, in constant memory.

        Each item sums up some consecutive rows, so the same group may come again. Failed attempts that the provider may
        have billed count as requests. Corrections count on the day on which their request is booked, and not as a
        request.
        """
        ...

    async def expected_rows(self, span: Span, user_id: int | None) -> int:
        """Returns how many rows were posted on the days that the span touches. It is cheap, for a progress bar."""
        ...

    def sums(self, span: Span, user_id: int | None) -> AsyncIterator[UsageSums]:
        """Yields the sums of all rows that are posted by now, some rows at a time, in constant memory."""
        ...

    def rows(self, span: Span, user_id: int | None) -> AsyncIterator[Sequence[UsageRow]]:
        """Yields all rows that are posted by now, in their order, a few thousand at a time, in constant memory.

        Portions without any row of that user come too. They are empty and show progress.
        """
        ...

    def lines(self, layout: LineLayout, span: Span, user_id: int | None) -> AsyncIterator[ExportLines] | None:
        """Yields the lines of the same rows, which is quicker. Returns None if the store cannot make them itself."""
        ...

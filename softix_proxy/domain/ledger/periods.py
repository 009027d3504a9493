"""The closed periods: half-open spans of posting into which nothing can be posted any more."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Protocol

from softix_proxy.domain.core.clock import to_us
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.core.money import CURRENCY
from softix_proxy.domain.core.spans import Span

_LABEL = re.compile(r"(\d{4})(?:-Q([1-4])|-(\d\d)(?:-(\d\d))?)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class PeriodSum:
    """The sums that were posted for one user."""

    user_id: int
    user_public_id: str
    user_name: str
    """The user's name as it is now."""
    rows: int
    """The number of usage rows, including corrections."""
    cost_pico: int
    charge_pico: int
    paid_in_pico: int
    """The sum of top-ups and adjustments, which moved the wallet and are no charges."""
    currency: str = CURRENCY


@dataclass(frozen=True, slots=True)
class PeriodContents:
    """The contents of a span of posting."""

    sums: tuple[PeriodSum, ...]
    """The sums of each user for whom anything was posted."""
    rows_sha256: bytes
    last_us: int | None
    """The id of the newest posting. It is None if there is none."""


@dataclass(frozen=True, slots=True)
class ClosedPeriod:
    """A span into which nothing is posted any more, with its contents."""

    id: int
    label: str
    """The label, which is unique: `2026-10`, or one that the operator chose."""
    zone: str
    """The IANA name of the time zone in which its ends were given."""
    span: Span
    closed_at_us: int
    sums: tuple[PeriodSum, ...]
    rows_sha256: bytes
    """The hash of its usage rows, then of its transfers other than charges; see `storage.sqlite.ledger.periods`."""

    @property
    def rows(self) -> int:
        return sum(one.rows for one in self.sums)

    @property
    def cost_pico(self) -> int:
        return sum(one.cost_pico for one in self.sums)

    @property
    def charge_pico(self) -> int:
        return sum(one.charge_pico for one in self.sums)

    @property
    def paid_in_pico(self) -> int:
        return sum(one.paid_in_pico for one in self.sums)


def labelled_span(label: str, zone: tzinfo) -> Span:
    """Returns the span of `2026`, `2026-Q4`, `2026-10` or `2026-10-31`, from midnight to midnight in the zone.

    Raises BadInputError for any other text.
    """
    match = _LABEL.fullmatch(label)
    if match is not None:
        year, quarter, month, day = (int(part) if part else None for part in match.groups())
        try:
            first = datetime(year or 0, month or 3 * (quarter or 1) - 2, day or 1, tzinfo=zone)
            months = 12 if not (quarter or month) else 3 if quarter else 1
            return Span(to_us(first), to_us(first + timedelta(days=1) if day else _months_on(first, months)))
        except (ValueError, OverflowError):
            pass
    raise BadInputError(f"not a period: {label!r}", "write 2026-10, 2026-Q4, 2026 or 2026-10-31, or --from and --to")


def _months_on(first: datetime, months: int) -> datetime:
    years, month = divmod(first.month - 1 + months, 12)
    return first.replace(year=first.year + years, month=month + 1)


def gaps(spans: Iterable[Span], first_us: int) -> Iterator[Span]:
    """Yields the gaps before and between the spans, from this instant on."""
    reached_us = first_us
    for span in sorted(spans):
        if span.from_us > reached_us:
            yield Span(reached_us, span.from_us)
        reached_us = max(reached_us, span.to_us)


class PeriodStore(Protocol):
    """Stores closed periods, and sums up those that are to be closed."""

    async def list(self) -> Sequence[ClosedPeriod]:
        """Returns the closed periods, the earliest first."""
        ...

    async def find(self, label: str) -> ClosedPeriod | None: ...

    async def contents(self, span: Span) -> PeriodContents:
        """Returns the contents of all rows that are posted by now, read a few thousand at a time, in constant
        memory.
        """
        ...

    async def first_posted_us(self) -> int | None: ...

    async def last_posted_us(self, span: Span) -> int | None:
        """Returns when the newest posting in a span was made. It is cheap."""
        ...

    async def add(self, period: ClosedPeriod) -> ClosedPeriod:
        """Closes a period: from now on nothing is posted before its end. `period.id` is ignored and assigned.

        Raises ConflictError if it overlaps another, or the label is taken.
        """
        ...

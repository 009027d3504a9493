"""Closed periods: half-open spans of posting that nothing can be posted into any more."""

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
    """What was posted for one user."""

    user_id: int
    user_public_id: str
    user_name: str
    """As it is now."""
    rows: int
    """Usage rows, corrections included."""
    cost_pico: int
    charge_pico: int
    paid_in_pico: int
    """Top-ups and adjustments: what moved the wallet and is no charge."""
    currency: str = CURRENCY


@dataclass(frozen=True, slots=True)
class PeriodContents:
    """What was posted in a span."""

    sums: tuple[PeriodSum, ...]
    """Of each user for whom anything was posted."""
    rows_sha256: bytes
    last_us: int | None
    """The newest posting's id; None where there is none."""


@dataclass(frozen=True, slots=True)
class ClosedPeriod:
    """Describes a span into which nothing is posted any more, with what was posted in it."""

    id: int
    label: str
    """`2026-10`, or what the operator called it; unique."""
    zone: str
    """The IANA name of the time zone that its ends were given in."""
    span: Span
    closed_at_us: int
    sums: tuple[PeriodSum, ...]
    rows_sha256: bytes
    """Of its usage rows, then of its transfers other than charges; see `storage.sqlite.ledger.periods`."""

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
    """`2026`, `2026-Q4`, `2026-10` or `2026-10-31`, from midnight to midnight there. Raises BadInputError."""
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
    """What lies before, between the spans and in none of them, from this instant on."""
    reached_us = first_us
    for span in sorted(spans):
        if span.from_us > reached_us:
            yield Span(reached_us, span.from_us)
        reached_us = max(reached_us, span.to_us)


class PeriodStore(Protocol):
    """Keeps closed periods, and sums up those that are to be closed."""

    async def list(self) -> Sequence[ClosedPeriod]:
        """Closed ones, the earliest first."""
        ...

    async def find(self, label: str) -> ClosedPeriod | None: ...

    async def contents(self, span: Span) -> PeriodContents:
        """Of all rows that are posted by now, a few thousand at a time, in constant memory."""
        ...

    async def first_posted_us(self) -> int | None: ...

    async def last_posted_us(self, span: Span) -> int | None:
        """The newest posting in a span; cheap."""
        ...

    async def add(self, period: ClosedPeriod) -> ClosedPeriod:
        """From here on nothing is posted before its end; `period.id` is ignored and given.

        Raises ConflictError where it overlaps another, or the label is taken.
        """
        ...

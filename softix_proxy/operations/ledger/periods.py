"""Closes a period: its postings are counted and hashed, and nothing more can be posted into it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from softix_proxy.domain.core.clock import format_instant, parse_instant, parse_zone
from softix_proxy.domain.core.errors import BadInputError, ConflictError, NotFoundError
from softix_proxy.domain.core.spans import Span
from softix_proxy.domain.ledger.ledger import LedgerViolation
from softix_proxy.domain.ledger.periods import ClosedPeriod, gaps, labelled_span
from softix_proxy.domain.notices.webhook_events import EventKind
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.operations.notices import webhook_events

_LABEL_LETTERS = 64
KEPT = "a closed period holds what it held when it was closed"


@dataclass(frozen=True, slots=True)
class Closing:
    """The period that an operator wants to close."""

    label: str
    zone: str
    span: Span


def asked(label: str | None, from_: str | None, to: str | None, zone: str) -> Closing:
    """Reads a period from a label such as 2026-10, or from two dates (the second is exclusive) with or without a label.

    Raises BadInputError.
    """
    where = parse_zone(zone)
    if label and not (len(label) <= _LABEL_LETTERS and label.isprintable()):
        raise BadInputError(f"a period's name is a line of at most {_LABEL_LETTERS} letters", "for example 2026-10")
    if from_ is None and to is None:
        if label is None:
            raise BadInputError("which period?", "write 2026-10, or --from and --to")
        return Closing(label, zone, labelled_span(label, where))
    if from_ is None or to is None:
        raise BadInputError("a period has two ends", "give both --from and --to")
    span = Span(parse_instant(from_, where), parse_instant(to, where))
    if span.from_us >= span.to_us:
        raise BadInputError("the period is empty", "--to is exclusive and must be after --from")
    return Closing(label or f"{from_.strip()}--{to.strip()}", zone, span)


async def close(storage: Storage, closing: Closing) -> ClosedPeriod:
    """Closes the period. The count holds no lock, and the transaction after it is short.

    Raises ConflictError if the period is not over, if nothing was posted up to its end, or if it overlaps a closed one.
    """
    reading = storage.reading()
    await _require_closable(reading, closing)
    while True:
        contents = await reading.periods.contents(closing.span)
        async with storage.writing() as unit:
            await _require_closable(unit, closing)
            if await unit.periods.last_posted_us(closing.span) != contents.last_us:
                continue  # the clock was set back, and something was posted during the count
            closed = await unit.periods.add(
                ClosedPeriod(
                    id=0,
                    label=closing.label,
                    zone=closing.zone,
                    span=closing.span,
                    closed_at_us=unit.clock.now_us(),
                    sums=contents.sums,
                    rows_sha256=contents.rows_sha256,
                )
            )
            await webhook_events.enqueue(unit, EventKind.PERIOD_CLOSED, _as_event(closed), once=closed.label)
            return closed


def _as_event(period: ClosedPeriod) -> Mapping[str, Any]:
    return {
        "period": period.label,
        "from": format_instant(period.span.from_us),
        "to": format_instant(period.span.to_us),
        "zone": period.zone,
        "rows": period.rows,
    }


async def list_all(storage: Storage) -> Sequence[ClosedPeriod]:
    return await storage.reading().periods.list()


async def find(unit: Unit, label: str) -> ClosedPeriod:
    """Returns the closed period with this label. Raises NotFoundError."""
    period = await unit.periods.find(label)
    if period is None:
        raise NotFoundError(f"no closed period {label!r}", "see: softix period list")
    return period


async def asked_or_closed(unit: Unit, label: str | None, from_: str | None, to: str | None, zone: str) -> Closing:
    """Returns a closed period, or the span between two dates in the zone. Raises BadInputError, NotFoundError."""
    if (label is None) == (from_ is None and to is None):
        raise BadInputError("which period?", "give --period, or --from and --to")
    if label is None:
        return asked(None, from_, to, zone)
    closed = await find(unit, label)
    return Closing(closed.label, closed.zone, closed.span)


async def uncovered(storage: Storage) -> Sequence[Span]:
    """Returns the spans from the first posting on that lie before or between closed periods and belong to none."""
    reading = storage.reading()
    first_us = await reading.periods.first_posted_us()
    if first_us is None:
        return ()
    return tuple(gaps((period.span for period in await reading.periods.list()), first_us))


async def verify(unit: Unit) -> tuple[int, Sequence[LedgerViolation]]:
    """Returns the number of closed periods, and the violations in those that no longer match their record."""
    periods, found = await unit.periods.list(), []
    for period in periods:
        contents = await unit.periods.contents(period.span)
        if contents.rows_sha256 != period.rows_sha256:
            found.append(LedgerViolation(KEPT, period.label, "the hash of its rows is another"))
        others = {one.user_public_id for one in set(period.sums) ^ set(contents.sums)}
        found += [LedgerViolation(KEPT, period.label, f"the sums of {user} are others") for user in sorted(others)]
    return len(periods), found


async def _require_closable(unit: Unit, closing: Closing) -> None:
    for other in await unit.periods.list():
        if other.label == closing.label and other.span == closing.span:
            raise ConflictError(
                f"{other.label} was closed at {format_instant(other.closed_at_us)}", "see: softix period list"
            )
        if other.span.from_us < closing.span.to_us and closing.span.from_us < other.span.to_us:
            raise ConflictError(
                f"{closing.label} overlaps {other.label}, which is closed from {format_instant(other.span.from_us)}"
                f" to {format_instant(other.span.to_us)}",
                "periods follow each other; see: softix period list",
            )
    if unit.clock.now_us() < closing.span.to_us:
        raise ConflictError(
            f"{closing.label} is not over: it ends at {format_instant(closing.span.to_us)}", "close it after that"
        )
    first_us = await unit.periods.first_posted_us()
    if first_us is None or first_us >= closing.span.to_us:
        raise ConflictError(
            f"nothing was posted before the end of {closing.label}",
            f"the first posting is of {format_instant(first_us)}"
            if first_us is not None
            else "is it the right --data-dir?",
        )

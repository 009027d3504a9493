"""Repairs postings of a wrong clock: books them at the time where they belong."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from softix_proxy.domain.core.clock import SLACK_US
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.core.spans import Span
from softix_proxy.domain.ledger.redating import MisdatedPosting, RedatedPosting, booked_at_us
from softix_proxy.domain.ports.storage import Storage

_AT_ONCE = 10
"""The number of postings that one transaction books. It is small because the hot path needs the write lock."""
_MAX_NOTE = 100
_FOREVER_US = 2**63 - 1


def ahead(now_us: int) -> Span:
    """Returns the span that the clock cannot have reached yet. A lead of up to an hour is waited for instead."""
    return Span(now_us + SLACK_US + 1, _FOREVER_US)


async def run(
    storage: Storage, span: Span | None, ahead_us: int | None, *, note: str, dry: bool
) -> AsyncIterator[RedatedPosting]:
    """Books anew what was posted in the span, or ahead of the clock if no span is given. `dry` posts nothing.

    A second run changes nothing. Postings in a closed period are reported and stay. Raises BadInputError if the note is
    not one line of text.
    """
    if not (0 < len(note) <= _MAX_NOTE and note.isprintable()):
        raise BadInputError(f"a note is one line of 1 to {_MAX_NOTE} characters", "say what was wrong: --note")
    reading = storage.reading()
    span = span or ahead(reading.clock.now_us())
    closed_us = await reading.ledger.closed_us()
    if span.from_us < closed_us:
        async for day in reading.ledger.misdated(Span(span.from_us, min(span.to_us, closed_us))):
            for one in day:
                yield RedatedPosting(one, None)
        span = Span(closed_us, span.to_us)
    async for day in reading.ledger.misdated(span):
        for first in range(0, len(day), _AT_ONCE):
            for done in await _book(storage, day[first : first + _AT_ONCE], ahead_us, note, dry):
                yield done


async def _book(
    storage: Storage, some: Sequence[MisdatedPosting], ahead_us: int | None, note: str, dry: bool
) -> list[RedatedPosting]:
    if dry:
        unit = storage.reading()
        closed_us, now_us = await unit.ledger.closed_us(), unit.clock.now_us()
        return [RedatedPosting(one, booked_at_us(one.posted_us, ahead_us, closed_us, now_us)) for one in some]
    async with storage.writing() as unit:
        closed_us, done = await unit.ledger.closed_us(), []
        for one in some:
            booked_us = booked_at_us(one.posted_us, ahead_us, closed_us, unit.clock.now_us())
            if one.posted_us < closed_us:
                done.append(RedatedPosting(one, None))
            elif await unit.ledger.redate(one, booked_us, note):
                done.append(RedatedPosting(one, booked_us))
        return done

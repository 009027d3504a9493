"""A page of what is kept at providers: filled up with what is still there, however much of it is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple, Protocol

from softix_proxy.dialects import batches as wire
from softix_proxy.dialects.listings import ListedObject, PageRequest, has_purpose
from softix_proxy.domain.errors import Code
from softix_proxy.domain.upstream import ProviderFault, UpstreamRequest, UpstreamResponse

_ASKED_AT_ONCE = 10
"""Of the things on a page, each of which is asked for at the provider by itself."""
_MOST_ASKED = 500
"""For one page: whoever has more than so many in a row that are gone gets a page that is not full."""
GONE = (404, 410)


class Named(Protocol):
    @property
    def remote_id(self) -> str: ...


Read = Callable[[int, str | None], Awaitable[Sequence[Named]]]
"""At most so many rows, after this name where one is given."""
Ask = Callable[[UpstreamRequest], Awaitable[tuple[UpstreamResponse, bytes]]]


CallFor = Callable[[Any], UpstreamRequest | None]
"""How one is asked for; None where it cannot be had any more."""


class Filled(NamedTuple):
    found: Sequence[ListedObject]
    next_cursor: str | None
    """After which name there is more; None where there is none."""


class NotToldError(Exception):
    """The provider told neither what a thing is nor that it is gone: so what the page has is not known."""

    def __init__(self, exchange: UpstreamResponse, answer: bytes) -> None:
        self.exchange, self.answer = exchange, answer


async def fill(page: PageRequest, read: Read, call_for: CallFor, ask: Ask) -> Filled:
    """Raises NotToldError, ProviderFault."""
    found: list[ListedObject] = []
    cursor, asked, lot, more = page.cursor, 0, page.size, True
    while more and len(found) < page.size and asked < _MOST_ASKED:
        rows = await read(lot + 1, cursor)
        more, rows = len(rows) > lot, rows[:lot]
        for start in range(0, len(rows), _ASKED_AT_ONCE):
            some = rows[start : start + _ASKED_AT_ONCE]
            for row, listed in zip(some, await _look(some, call_for, ask), strict=True):
                if listed is not None and (page.purpose is None or has_purpose(listed.body, page.purpose)):
                    if len(found) == page.size:
                        return _filled(page, found, cursor)
                    found.append(listed)
                    cursor = row.remote_id
            if len(found) < page.size:
                cursor = some[-1].remote_id
        asked += len(rows)
        lot = max(page.size - len(found), _ASKED_AT_ONCE)
    return _filled(page, found, cursor if more else None)


def _filled(page: PageRequest, found: Sequence[ListedObject], next_cursor: str | None) -> Filled:
    return Filled(found[::-1] if page.backwards else found, next_cursor)


async def _look(rows: Sequence[Named], call_for: CallFor, ask: Ask) -> Sequence[ListedObject | None]:
    """Each as the provider tells of it now; None for what it does not have any more."""
    calls = [call_for(row) for row in rows]
    answers = iter(await asyncio.gather(*(ask(call) for call in calls if call is not None)))
    return [None if call is None else _told(*next(answers)) for call in calls]


def _told(exchange: UpstreamResponse, answer: bytes) -> ListedObject | None:
    if exchange.status in GONE:
        return None
    if exchange.status >= 300:
        raise NotToldError(exchange, answer)
    progress = wire.read_progress(answer)
    if progress is None or progress.remote_id is None:
        raise ProviderFault(Code.PROVIDER_BROKE_OFF, started=True)
    return ListedObject(progress.remote_id, wire.at_home(answer, progress.remote_id))

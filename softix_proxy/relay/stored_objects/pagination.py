"""Fills a page of stored objects with those that still exist, however many of them are gone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple, Protocol

from softix_proxy.dialects import batches as batch_format
from softix_proxy.dialects.core.listings import ListedObject, PageRequest, has_purpose
from softix_proxy.domain.core.errors import Code
from softix_proxy.domain.metering.batches import Batch
from softix_proxy.domain.ports.upstream import ProviderFault, UpstreamRequest, UpstreamResponse
from softix_proxy.relay.batch.results import GONE

_FETCHED_AT_ONCE = 10
"""The number of objects that are fetched at the same time. Each one is a request of its own to the provider."""
_MAX_FETCHED = 500
"""The most objects that are fetched for one page. If more in a row are gone, the page is not full."""


class StoredObject(Protocol):
    """A row about an object at a provider."""

    @property
    def remote_id(self) -> str: ...


ReadRows = Callable[[int, str | None], Awaitable[Sequence[StoredObject]]]
"""Reads at most this many rows, after the given name if there is one."""
FetchObject = Callable[[UpstreamRequest], Awaitable[tuple[UpstreamResponse, bytes]]]
"""Returns the whole response."""
CallFor = Callable[[Any], UpstreamRequest | None]
"""Returns the call that requests an object, or None if the object is not available any more."""


class FilledPage(NamedTuple):
    found: Sequence[ListedObject]
    next_cursor: str | None
    """The name after which there are more objects, or None if there are no more."""


class ListingFailedError(Exception):
    """Says that the provider reported neither an object nor that it is gone, so that the page is unknown."""

    def __init__(self, exchange: UpstreamResponse, answer: bytes) -> None:
        self.exchange, self.answer = exchange, answer


async def fill_page(page: PageRequest, read: ReadRows, call_for: CallFor, fetch: FetchObject) -> FilledPage:
    """Returns a page of objects that still exist. Raises ListingFailedError, ProviderFault."""
    found: list[ListedObject] = []
    cursor, fetched, wanted, more = page.cursor, 0, page.size, True
    while more and len(found) < page.size and fetched < _MAX_FETCHED:
        rows = await read(wanted + 1, cursor)
        more, rows = len(rows) > wanted, rows[:wanted]
        for start in range(0, len(rows), _FETCHED_AT_ONCE):
            some = rows[start : start + _FETCHED_AT_ONCE]
            for row, listed in zip(some, await _fetch_each(some, call_for, fetch), strict=True):
                if listed is not None and (page.purpose is None or has_purpose(listed.body, page.purpose)):
                    if len(found) == page.size:
                        return _filled(page, found, cursor)
                    found.append(listed)
                    cursor = row.remote_id
            if len(found) < page.size:
                cursor = some[-1].remote_id
        fetched += len(rows)
        wanted = max(page.size - len(found), _FETCHED_AT_ONCE)
    return _filled(page, found, cursor if more else None)


def _filled(page: PageRequest, found: Sequence[ListedObject], next_cursor: str | None) -> FilledPage:
    return FilledPage(found[::-1] if page.backwards else found, next_cursor)


async def _fetch_each(
    rows: Sequence[StoredObject], call_for: CallFor, fetch: FetchObject
) -> Sequence[ListedObject | None]:
    """Returns each object as the provider describes it now, and None for each that it does not have any more."""
    calls = [call_for(row) for row in rows]
    answers = iter(await asyncio.gather(*(fetch(call) for call in calls if call is not None)))
    return [None if call is None else _told(row, *next(answers)) for row, call in zip(rows, calls, strict=True)]


def _told(row: StoredObject, exchange: UpstreamResponse, answer: bytes) -> ListedObject | None:
    if exchange.status in GONE:
        return None
    if exchange.status >= 300:
        raise ListingFailedError(exchange, answer)
    progress = batch_format.read_progress(answer)
    if progress is None or progress.remote_id is None:
        raise ProviderFault(Code.PROVIDER_BROKE_OFF, started=True)
    input_file = row.input_file if isinstance(row, Batch) else None
    return ListedObject(progress.remote_id, batch_format.at_home(answer, progress.remote_id, input_file))

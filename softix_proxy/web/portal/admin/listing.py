"""Lists that go on for many pages: each page is read by the last row of the one before, so that none reads more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlencode

from softix_proxy.domain.core.key_text import without_keys
from softix_proxy.web.portal.core.page import PageRequest

PER_PAGE = 50
_MOST_LETTERS = 100
_MOST_DIGITS = 18
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Listing(Generic[R]):
    """One page of a list."""

    rows: Sequence[R]
    next_path: str
    """The path of the next page. It is empty on the last one."""
    first_path: str
    """The path of the first page. It is empty on the first one."""
    asked: Mapping[str, str]
    """What was searched for, by the names of the fields."""


def searched(request: PageRequest, name: str = "q", most_letters: int = _MOST_LETTERS) -> str:
    """Returns what somebody searches for: the text of this field.

    Of a whole key only the visible prefix is left, so that nobody's key comes back in a page.
    """
    return without_keys(request.query.get(name, "").strip()[:most_letters])


def number_before(request: PageRequest) -> int | None:
    """Returns the number before which the page is read that is asked for. None for the first page."""
    before = request.query.get("before", "")
    return int(before) if before.isascii() and before.isdigit() and len(before) <= _MOST_DIGITS else None


async def listing_of(
    request: PageRequest,
    read: Callable[..., Awaitable[Sequence[R]]],
    place_of: Callable[[R], str],
    asked: Mapping[str, str] | None = None,
) -> Listing[R]:
    """Returns the page that is asked for. `read` takes `before` and `limit`, as the operations do that read a page."""
    rows = await read(before=request.query.get("before"), limit=PER_PAGE + 1)
    return listing(request, rows, place_of, asked)


def listing_in(
    request: PageRequest, every: Sequence[R], name_of: Callable[[R], str], place_of: Callable[[R], str]
) -> Listing[R]:
    """Returns the page that is asked for, of a list that is at hand: the rows whose name has what is searched for."""
    search, before = searched(request), request.query.get("before", "")
    found = [row for row in every if search.lower() in name_of(row).lower()]
    start = next((at + 1 for at, row in enumerate(found) if place_of(row) == before), 0)
    return listing(request, found[start : start + PER_PAGE + 1], place_of, {"q": search})


def listing(
    request: PageRequest, rows: Sequence[R], place_of: Callable[[R], str], asked: Mapping[str, str] | None = None
) -> Listing[R]:
    """Returns a page of up to PER_PAGE rows. One row more than that tells that there is another page.

    `place_of` returns what the next page is read by: it comes as `before` in the query.
    """
    given = {name: text for name, text in (asked or {}).items() if text}
    shown = rows[:PER_PAGE]
    more = len(rows) > PER_PAGE
    following = f"{request.path}?{urlencode({**given, 'before': place_of(shown[-1])})}" if more else ""
    first = (f"{request.path}?{urlencode(given)}" if given else request.path) if request.query.get("before") else ""
    return Listing(shown, following, first, given)

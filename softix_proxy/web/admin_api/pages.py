"""The pages of a list. A page ends with a link to the next one (RFC 8288)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from softix_proxy.domain.access.versions import version_of
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.ports.admin_commands import AdminParameter

LIMIT: Final = "limit"
CURSOR: Final = "cursor"
_DEFAULT: Final = 100
_MOST: Final = 1000
_FURTHEST: Final = 10_000
"""The rows that a list can be read to, page by page. Whoever needs more narrows the list, or exports."""
PAGE_PARAMETERS: Final = (
    AdminParameter(
        LIMIT, {"type": "integer", "minimum": 1, "maximum": _MOST}, f"The most rows of a page. [{_DEFAULT}]", False
    ),
    AdminParameter(CURSOR, {"type": "string", "minLength": 1}, "Where the page begins: from the link to it.", False),
)


class PageWish(NamedTuple):
    """Which page of a list is asked for."""

    limit: int
    offset: int = 0
    last: str = ""
    """The version of the row before the page. What was added to the list since has moved it."""

    @property
    def rows(self) -> int:
        """How many rows must be listed, so that the page and the begin of the next one are among them."""
        return self.offset + self.limit + 1


def wish_of(values: dict[str, Any]) -> PageWish:
    """Takes the parameters of pages out of the values. Raises BadInputError."""
    limit, cursor = values.pop(LIMIT, _DEFAULT), values.pop(CURSOR, None)
    if cursor is None:
        return PageWish(limit)
    try:
        offset, last = base64.urlsafe_b64decode(cursor.encode("ascii")).decode("ascii").split(".")
        wish = PageWish(limit, int(offset), last)
    except (ValueError, binascii.Error):
        raise BadInputError("the cursor is not one of a link to a page", "take it from the Link header") from None
    if not 0 < wish.offset <= _FURTHEST:
        raise BadInputError(f"a list ends after {_FURTHEST} rows", "narrow it by its filters, or use usage/export")
    return wish


def page_of(rows: Sequence[Any], wish: PageWish) -> tuple[Sequence[Any], str | None]:
    """Returns the rows of the page, and the cursor of the next one."""
    begin = _begin(rows, wish)
    end = begin + wish.limit
    page = rows[begin:end]
    if end >= len(rows):
        return page, None
    text = f"{end}.{version_of(page[-1])}"
    return page, base64.urlsafe_b64encode(text.encode()).decode()


def _begin(rows: Sequence[Any], wish: PageWish) -> int:
    """Returns where the page begins: after the last row of the page before, wherever that is now."""
    for at in range(wish.offset, len(rows) + 1) if wish.last else ():
        if version_of(rows[at - 1]) == wish.last:
            return at
    return wish.offset

"""Reads what a query of a page may say."""

from __future__ import annotations

import re

from softix_proxy.web.portal.core.page import PageRequest

_NUMBER = re.compile(r"[0-9]{1,19}", re.ASCII)
_MOST_PAGE = 10_000


def number_in(text: str | None) -> int | None:
    """Returns the number that a query names, or None if it names none that can be."""
    return int(text) if text is not None and _NUMBER.fullmatch(text) else None


def page_in(request: PageRequest) -> int:
    """Returns the number of the page that is asked for, from 1 on."""
    return min(max(number_in(request.query.get("page")) or 1, 1), _MOST_PAGE)

"""Reads what a query of a page may say."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from softix_proxy.operations.organisations.organisation_keys import KeyView
from softix_proxy.web.portal.core.page import PageRequest

_NUMBER = re.compile(r"[0-9]{1,19}", re.ASCII)
_MOST_PAGE = 10_000
_KEYS_AT_ONCE = 50


def number_in(text: str | None) -> int | None:
    """Returns the number that a query names, or None if it names none that can be."""
    return int(text) if text is not None and _NUMBER.fullmatch(text) else None


def page_in(request: PageRequest) -> int:
    """Returns the number of the page that is asked for, from 1 on."""
    return min(max(number_in(request.query.get("page")) or 1, 1), _MOST_PAGE)


def keys_in(request: PageRequest, views: Sequence[KeyView]) -> dict[str, Any]:
    """Returns the keys of the page that is asked for, as templates show them."""
    page = page_in(request)
    start = (page - 1) * _KEYS_AT_ONCE
    end = start + _KEYS_AT_ONCE
    return {"views": views[start:end], "page": page, "has_more": end < len(views)}

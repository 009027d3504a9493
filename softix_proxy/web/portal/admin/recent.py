"""The span within which lists of usage look, unless somebody names another one."""

from __future__ import annotations

from softix_proxy.domain.core.clock import DAY_US, format_instant

DAYS = 31
"""Usage has no index by user or key, so that writing it stays cheap. A list therefore never searches all of it."""


def recent_from(now_us: int) -> str:
    """Returns the instant at which the span begins."""
    return format_instant(now_us - DAYS * DAY_US) or ""

"""Finds the route of a path. A fixed path comes before one with names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import unquote

from softix_proxy.web.portal.core.page import PortalRoute

_NAME = re.compile(r"\{([a-z_]+)\}")
_LONGEST_PATH = 512


class FoundPath(NamedTuple):
    """The routes of a path by their methods, and the named parts of the path."""

    by_method: Mapping[str, PortalRoute]
    parts: Mapping[str, str]


class _PathRule(NamedTuple):
    expression: re.Pattern[str]
    by_method: dict[str, PortalRoute]


class PortalRouter:
    """The URL table, prepared for look-ups."""

    def __init__(self, routes: Iterable[PortalRoute]) -> None:
        """Takes the routes. Raises ValueError if two have one method and one pattern."""
        self._fixed: dict[str, dict[str, PortalRoute]] = {}
        self._rules: dict[str, _PathRule] = {}
        for route in routes:
            if "{" in route.pattern:
                rule = self._rules.setdefault(route.pattern, _PathRule(_expression(route.pattern), {}))
                by_method = rule.by_method
            else:
                by_method = self._fixed.setdefault(route.pattern, {})
            if route.method in by_method:
                raise ValueError(f"two routes are {route.method} {route.pattern}")
            by_method[route.method] = route

    def find(self, path: str) -> FoundPath | None:
        """Returns what is at a path as it is in a request line. None if there is nothing, or the path is not plain."""
        plain = _plain(path)
        if plain is None:
            return None
        by_method = self._fixed.get(plain)
        if by_method is not None:
            return FoundPath(by_method, {})
        for rule in self._rules.values():
            found = rule.expression.fullmatch(plain)
            if found is not None:
                return FoundPath(rule.by_method, found.groupdict())
        return None


def _expression(pattern: str) -> re.Pattern[str]:
    ends = [re.escape(text) if at % 2 == 0 else f"(?P<{text}>[^/]+)" for at, text in enumerate(_NAME.split(pattern))]
    return re.compile("".join(ends))


def _plain(path: str) -> str | None:
    """Returns the decoded path. None if it has a control character, an encoded slash, or an end that is no UTF-8."""
    if len(path) > _LONGEST_PATH or "%2f" in path.lower() or "%5c" in path.lower():
        return None
    try:
        plain = unquote(path, errors="strict")
    except UnicodeDecodeError:
        return None
    return plain if plain.isprintable() else None

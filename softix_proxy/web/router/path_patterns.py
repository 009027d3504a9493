"""Finds the routes of a path. Fixed paths need one lookup. Paths with a name are found by how they begin and end."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from softix_proxy.dialects.core.base import Family
from softix_proxy.web.router.route import ANY, WEBSOCKET, Route

_NAME = re.compile(r"\{\w+(:path)?\}")


@dataclass(frozen=True, slots=True)
class PathEntry:
    """The routes of one pattern."""

    is_fixed: bool = False
    by_method: Mapping[str, Route] = field(default_factory=dict)

    def route(self, method: str, family: Family) -> Route | None:
        """Returns the route that serves this method to clients of this family."""
        found = self.by_method.get(method)
        if found is None:
            found = self.by_method.get("GET") if method == WEBSOCKET else None
            found = found or self.by_method.get(ANY)
        return None if found is not None and found.families and family not in found.families else found

    def methods(self, family: Family) -> frozenset[str]:
        return frozenset(
            method for method, route in self.by_method.items() if not route.families or family in route.families
        )


NO_ENTRY = PathEntry()
"""The entry of a path that has no route."""


@dataclass(frozen=True, slots=True)
class _NamedPath:
    prefix: str
    suffix: str
    """The end of the path in lower case. Clients may write it in any case."""
    takes_slashes: bool
    entry: PathEntry

    @classmethod
    def of(cls, pattern: str, entry: PathEntry) -> _NamedPath:
        [found] = _NAME.finditer(pattern)
        return cls(pattern[: found.start()], pattern[found.end() :].lower(), found[1] is not None, entry)

    def name_in(self, path: str) -> str:
        """Returns the name in the path, or an empty text if the path does not match."""
        end = len(path) - len(self.suffix)
        if not path.startswith(self.prefix) or (self.suffix and path[end:].lower() != self.suffix):
            return ""
        name = path[len(self.prefix) : end]
        return name if self.takes_slashes or "/" not in name else ""


class PathPatterns:
    """The lookup from paths to their routes."""

    def __init__(self, routes: Iterable[Route]) -> None:
        """Prepares the lookup. Raises ValueError for two routes if one of them could never be reached."""
        grouped: dict[str, dict[str, Route]] = defaultdict(dict)
        for route in routes:
            if route.method in grouped[route.pattern]:
                raise ValueError(f"two routes for {route.method} {route.pattern}")
            grouped[route.pattern][route.method] = route
        entries = {pattern: PathEntry("{" not in pattern, rows) for pattern, rows in grouped.items()}
        self._fixed = {pattern: entry for pattern, entry in entries.items() if entry.is_fixed}
        named = [_NamedPath.of(pattern, entry) for pattern, entry in entries.items() if not entry.is_fixed]
        self._named: dict[str, list[_NamedPath]] = defaultdict(list)
        for each in sorted(named, key=lambda path: (-len(path.suffix), path.takes_slashes, -len(path.prefix))):
            self._named[_first_word(each.prefix)].append(each)

    @property
    def fixed(self) -> Sequence[str]:
        return tuple(self._fixed)

    @property
    def folders(self) -> Sequence[str]:
        """Returns the beginnings of paths before the names."""
        return tuple(dict.fromkeys(each.prefix for paths in self._named.values() for each in paths))

    def find(self, path: str) -> tuple[PathEntry, str]:
        """Returns the routes of a path and the name in it, or NO_ENTRY if there are none."""
        entry = self._fixed.get(path)
        if entry is not None:
            return entry, ""
        for each in self._named.get(_first_word(path), ()):
            if name := each.name_in(path):
                return each.entry, name
        return NO_ENTRY, ""


def _first_word(path: str) -> str:
    end = path.find("/", 1)
    return path[1:] if end < 0 else path[1:end]

"""Finds what a path means here, in any spelling. Usual paths use prepared data, and the rest are parsed.

Paths in the tables have no version. Base URLs often have a wrong one or several, so any number of them is accepted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from softix_proxy.dialects.core.base import Family
from softix_proxy.web.router import path_syntax
from softix_proxy.web.router.path_patterns import NO_ENTRY, PathEntry, PathPatterns


class ResolvedPath(NamedTuple):
    """The meaning of a path, and the routes that serve it."""

    path: str
    """The path as the routes have it, with the names that it contains."""
    base_family: Family | None = None
    """The family of the dialect that the base URL shows, or None if it shows none."""
    deployment: str = ""
    """The model that is in the path as at Azure, whatever the body says. It is empty if there is none."""
    of_azure: bool = False
    """Whether the path was written for Azure, which has the version in the query."""
    entry: PathEntry = NO_ENTRY
    name: str = ""
    """The name in the place of the pattern's name."""

    def family(self, named: Mapping[str, str]) -> Family:
        """Returns the family of errors and lists that the client understands. SDKs always send headers that show it.

        `named` has the headers.
        """
        if self.base_family is not None:
            return self.base_family
        if "x-goog-api-key" in named:
            return "gemini"
        return "anthropic" if "anthropic-version" in named or self.path.startswith("/messages") else "openai"


_BASES = ("", "/v1", "/openai/v1")
_DEPLOYMENTS = "/deployments/"
_GOOGLES = "/v1beta"
_GOOGLES_FOLDER = f"{_GOOGLES}/models/"
_AZURES = ("api-version", "deployment")


class PathResolver:
    """Resolves paths, and keeps the data for the usual ones."""

    def __init__(self, patterns: PathPatterns, deployable: Iterable[str] = ()) -> None:
        """Prepares the data. `deployable` has the fixed paths before which Azure's clients put the name of a model."""
        self._patterns = patterns
        self._fixed = frozenset(patterns.fixed)
        self._folders = tuple(patterns.folders)
        self._deployable = sorted(deployable, key=len, reverse=True)
        self._prepared = {f"{base}{path}": self._read(f"{base}{path}") for path in patterns.fixed for base in _BASES}

    def resolve(self, raw_path: str) -> ResolvedPath:
        """Returns the meaning of a path: `/openai/v1//Chat/completions/` → `/chat/completions`."""
        prepared = self._prepared.get(raw_path)
        if prepared is not None:
            return prepared
        if raw_path.startswith(_GOOGLES_FOLDER) and not ("%" in raw_path or "//" in raw_path or "/." in raw_path):
            return self._found(raw_path[len(_GOOGLES) :].rstrip("/"), "gemini", "", False)
        return self._read(raw_path)

    def _read(self, raw_path: str) -> ResolvedPath:
        written = path_syntax.read(raw_path)
        path = written.path
        if path.startswith(_DEPLOYMENTS):
            plain = path.lower()
            end = next((end for end in self._deployable if plain.endswith(end)), "")
            name = path[len(_DEPLOYMENTS) : -len(end)] if end else ""
            if name:
                return self._found(end, "openai", name, True)
        return self._found(self._as_listed(path), written.family, "", written.is_fronted)

    def _found(self, path: str, family: Family | None, deployment: str, of_azure: bool) -> ResolvedPath:
        entry, name = self._patterns.find(path)
        return ResolvedPath(path, family, deployment, of_azure, entry, name)

    def _as_listed(self, path: str) -> str:
        """Returns the path in the routes' own case if only the case differs. Names stay unchanged."""
        if path in self._fixed or not path.isascii():
            return path
        plain = path.lower()
        if plain in self._fixed or any(plain == folder[:-1] for folder in self._folders):
            return plain
        folder = max((folder for folder in self._folders if plain.startswith(folder)), key=len, default="")
        return folder + path[len(folder) :]


def without_azures(query: str) -> str:
    """Returns the rest of a query that was written for Azure, without the parts that the address has consumed."""
    return "&".join(part for part in query.split("&") if part.partition("=")[0] not in _AZURES)

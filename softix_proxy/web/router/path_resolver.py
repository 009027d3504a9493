"""What a path means here, however it is written: data prepared once for the usual ones, and a reading for the rest.

Paths stand in the tables without the version: base URLs are often one off, so any number of them is taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from softix_proxy.dialects.core.base import Family
from softix_proxy.web.router import path_syntax
from softix_proxy.web.router.path_patterns import NO_ENTRY, PathEntry, PathPatterns


class ResolvedPath(NamedTuple):
    path: str
    """As the rows have it, with whatever names stand in it."""
    base_family: Family | None = None
    """Whose dialect the base URL tells; None where it tells none."""
    deployment: str = ""
    """The model that stands in the path as at Azure, whatever the body says; empty where none does."""
    of_azure: bool = False
    """The path was written for Azure, whose version stands in the query."""
    entry: PathEntry = NO_ENTRY
    name: str = ""
    """What stands in the place of the pattern's name."""

    def family(self, named: Mapping[str, str]) -> Family:
        """Whose errors and lists are understood, by what SDKs always send; `named` are the headers."""
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
    def __init__(self, patterns: PathPatterns, deployable: Iterable[str] = ()) -> None:
        """`deployable` are the fixed paths before which Azure's clients put the name of a model."""
        self._patterns = patterns
        self._fixed = frozenset(patterns.fixed)
        self._folders = tuple(patterns.folders)
        self._deployable = sorted(deployable, key=len, reverse=True)
        self._prepared = {f"{base}{path}": self._read(f"{base}{path}") for path in patterns.fixed for base in _BASES}

    def resolve(self, raw_path: str) -> ResolvedPath:
        """`/openai/v1//Chat/completions/` → `/chat/completions`."""
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
        """In the rows' own letters where only the case is another; names are left as they are."""
        if path in self._fixed or not path.isascii():
            return path
        plain = path.lower()
        if plain in self._fixed or any(plain == folder[:-1] for folder in self._folders):
            return plain
        folder = max((folder for folder in self._folders if plain.startswith(folder)), key=len, default="")
        return folder + path[len(folder) :]


def without_azures(query: str) -> str:
    """What is left of a query that was written for Azure once the address is understood."""
    return "&".join(part for part in query.split("&") if part.partition("=")[0] not in _AZURES)

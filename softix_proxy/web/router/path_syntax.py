"""Parses the path of a request in any legal form, below any base URL that clients are known to have."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote

from softix_proxy.dialects.core.base import Family

_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#]*", re.IGNORECASE)
"""The origin before the path, if a request names its whole URL as to a forward proxy."""
_VERSION = re.compile(r"v1(?:(beta|alpha)\d*)?")
_GOOGLES = ("beta", "alpha")
_FRONTS: dict[str, Family] = {"openai": "openai", "anthropic": "anthropic"}
"""The family of the dialect below each first word.

Azure and Groq put these words first. Google's `v1beta/openai` has them after a version.
"""
_BEFORE_VERSIONS = frozenset(("api", "inference"))
"""The words before `/v1` in the base URLs of OpenRouter and Fireworks. They are skipped only there."""


class PathParts(NamedTuple):
    """The parts of a path, and what its base URL shows."""

    parts: tuple[str, ...]
    """The decoded parts, without versions and without what base URLs have beside them."""
    family: Family | None
    """The family of the dialect that the base URL shows, or None if it shows none."""
    is_fronted: bool
    """Whether the path was below `/openai`, as at Azure."""

    @property
    def path(self) -> str:
        return "/" + "/".join(self.parts)


def read(raw: str) -> PathParts:
    """Parses a path: `//V1/openai/v1/chat%2Fcompletions/` → `chat`, `completions`. Model names may contain slashes."""
    if not raw.startswith("/"):
        raw = _ORIGIN.sub("", raw, count=1)
    parts = _decoded(raw)
    start, fronted = 0, False
    family: Family | None = None
    while start < len(parts):
        word = parts[start].lower()
        version = _VERSION.fullmatch(word) if word.startswith("v1") else None
        if version is not None:
            family = "gemini" if version[1] in _GOOGLES else family
        elif word in _FRONTS:
            family, fronted = _FRONTS[word], fronted or word == "openai"
        elif not (word in _BEFORE_VERSIONS and start + 1 < len(parts) and _VERSION.fullmatch(parts[start + 1].lower())):
            break
        start += 1
    return PathParts(tuple(parts[start:]), family, fronted)


def _decoded(raw: str) -> list[str]:
    """Returns the decoded parts between slashes, whether a slash is written as `/` or as `%2F`.

    Empty parts between plain slashes and `.` are dropped, and `..` removes the part before it.
    """
    parts: list[str] = []
    for part in raw.split("/"):
        if "%" in part:
            part = unquote(part).strip().strip("/")
        for word in part.split("/") if part else ():
            if word == "..":
                parts[-1:] = []
            elif word != ".":
                parts.append(word)
    return parts

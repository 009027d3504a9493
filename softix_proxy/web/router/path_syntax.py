"""How the path of a request is written: in any legal way, below any base URL that clients are known to have."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote

from softix_proxy.dialects.core.base import Family

_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#]*", re.IGNORECASE)
"""Before the path where a request names its whole address, as to a forward proxy."""
_VERSION = re.compile(r"v1(?:(beta|alpha)\d*)?")
_GOOGLES = ("beta", "alpha")
_FRONTS: dict[str, Family] = {"openai": "openai", "anthropic": "anthropic"}
"""Whose dialect an address has below it: Azure and Groq put these before, Google's `v1beta/openai` behind a version."""
_BEFORE_VERSIONS = frozenset(("api", "inference"))
"""As the base URLs of OpenRouter and Fireworks have before `/v1`, and nowhere else."""


class PathParts(NamedTuple):
    parts: tuple[str, ...]
    """Decoded; without versions, and what base URLs have beside them."""
    family: Family | None
    """Whose dialect the base URL tells; None where it tells none."""
    is_fronted: bool
    """Whether it stood below `/openai`, as at Azure."""

    @property
    def path(self) -> str:
        return "/" + "/".join(self.parts)


def read(raw: str) -> PathParts:
    """`//V1/openai/v1/chat%2Fcompletions/` → `chat`, `completions`. A model's name may have slashes of its own."""
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
    """The parts between slashes; empty ones, and steps to where one is, say nothing."""
    parts: list[str] = []
    for part in raw.split("/"):
        word = unquote(part).strip() if "%" in part else part
        if word == "..":
            parts[-1:] = []
        elif word not in ("", "."):
            parts += word.strip("/").split("/") if "/" in word else (word,)
    return parts

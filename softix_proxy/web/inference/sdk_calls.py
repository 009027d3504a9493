"""The calls that the providers' own SDKs can make. scripts/make_sdk_calls.py reads them from the SDKs' source.

They are loaded at the first request for something that is not served. Most daemons never get one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache

_FILE = "sdk_calls.json"
_ANY = "{}"
_Pattern = tuple[str, ...]


@cache
def known() -> Mapping[str, Sequence[str]]:
    """Returns the calls of each SDK. A call is a method and the parts of a path, in which `{}` stands for a name."""
    from importlib.resources import files

    data = json.loads(files("softix_proxy").joinpath("data", _FILE).read_text("utf-8"))
    return {sdk: tuple(told["calls"]) for sdk, told in data.items()}


@cache
def _patterns() -> Mapping[tuple[str, int], frozenset[_Pattern]]:
    """Returns the patterns by method and number of parts."""
    found: dict[tuple[str, int], set[_Pattern]] = {}
    for call in (call for calls in known().values() for call in calls):
        method, *parts = call.split(" ")
        found.setdefault((method, len(parts)), set()).add(tuple(part.lower() for part in parts))
    return {key: frozenset(patterns) for key, patterns in found.items()}


@cache
def first_words() -> frozenset[str]:
    """Returns the first words of the paths of all calls, in lower case."""
    return frozenset(pattern[0] for patterns in _patterns().values() for pattern in patterns)


def can_call(method: str, path: str) -> bool:
    """Returns whether one of the SDKs has this call, whatever names are in it."""
    parts = path.lower()[1:].split("/")
    patterns = _patterns().get(("GET" if method == "HEAD" else method, len(parts)), frozenset())
    return any(all(map(_fits, pattern, parts)) for pattern in patterns)


def _fits(pattern: str, part: str) -> bool:
    if _ANY not in pattern:
        return part == pattern
    before, _, rest = pattern.partition(_ANY)
    after = rest.rpartition(_ANY)[2]
    return len(part) > len(before) + len(after) and part.startswith(before) and part.endswith(after)

"""The request types of the providers' SDKs, and their members that look like names of things."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterator
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints

import pydantic
import typing_extensions

_WORDS = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
_ENDINGS = frozenset(("id", "ids", "uri", "uris"))


class SdkMember(NamedTuple):
    of: str
    """The name of the type."""
    name: str

    def __str__(self) -> str:
        return f"{self.of}.{self.name}"

    @property
    def plain(self) -> str:
        return self.name.replace("_", "").casefold()

    @property
    def looks_like_a_name(self) -> bool:
        return _WORDS.findall(self.name)[-1].lower() in _ENDINGS


def members(*kinds: Any) -> set[SdkMember]:
    """Every member of these types, and of all types that their members have."""
    found: set[SdkMember] = set()
    seen: set[Any] = set()
    waiting = list(kinds)
    while waiting:
        kind = waiting.pop()
        if kind in seen:
            continue
        seen.add(kind)
        for name, inner in _own(kind).items():
            found.add(SdkMember(kind.__name__, name))
            waiting += _parts(inner)
    return found


def _own(kind: Any) -> dict[str, Any]:
    if typing_extensions.is_typeddict(kind) or typing.is_typeddict(kind):
        return get_type_hints(kind)
    if isinstance(kind, type) and issubclass(kind, pydantic.BaseModel):
        return {name: field.annotation for name, field in kind.model_fields.items()}
    return {}


def _parts(hint: Any) -> Iterator[Any]:
    """The record types in a hint: unions, lists and mappings are opened."""
    origin = get_origin(hint)
    if origin in (typing.Literal, typing_extensions.Literal):
        return
    if origin is not None or isinstance(hint, types.UnionType):
        for each in get_args(hint):
            yield from _parts(each)
    elif _is_record(hint):
        yield hint


def _is_record(hint: Any) -> bool:
    if typing_extensions.is_typeddict(hint) or typing.is_typeddict(hint):
        return True
    return isinstance(hint, type) and issubclass(hint, pydantic.BaseModel)

"""Members of a body that a provider does not take, as its refusals name them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec

from softix_proxy.dialects.fields import MALFORMED, JsonMembers

USAGE_OPTION = "stream_options"
"""By which softix asks for the usage of a stream, unless the client has done so."""
STATUSES = frozenset((400, 422))
"""With which servers refuse a member that they do not know."""
_NAMES = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LONGEST_BYTES = 64 * 1024
"""What is longer repeats the request, and names all of it."""


def names_field(refusal: bytes, name: str) -> bool:
    """Whether an error's body has this word, in whatever shape: each server has its own."""
    if len(refusal) > _LONGEST_BYTES:
        return False
    return re.search(rb"(?<![A-Za-z0-9_])%b(?![A-Za-z0-9_])" % re.escape(name.encode()), refusal) is not None


def named_fields(refusal: bytes, names: Iterable[str]) -> list[str]:
    return [name for name in names if names_field(refusal, name)]


def members(body: bytes) -> Sequence[str]:
    """The names of a JSON object's members; none for anything else."""
    try:
        return tuple(_NAMES.decode(body))
    except MALFORMED:
        return ()


def without_field(body: bytes, name: str) -> bytes:
    return JsonMembers(body, frozenset()).replaced({}, frozenset((name,)))

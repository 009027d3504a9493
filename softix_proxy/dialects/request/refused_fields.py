"""Finds and removes members of a body that a provider does not accept, from the names in its error responses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec

from softix_proxy.dialects.request.fields import MALFORMED, JsonMembers

USAGE_OPTION = "stream_options"
"""The member by which softix requests the usage of a stream if the client did not do so."""
STATUSES = frozenset((400, 422))
"""The status codes with which servers refuse a member that they do not know."""
_NAMES = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LONGEST_BYTES = 64 * 1024
"""The most bytes of a refusal that is searched. A longer one repeats the request and so contains every name."""


def names_field(refusal: bytes, name: str) -> bool:
    """Returns whether an error's body contains this word. Its shape does not matter, since each server has its own."""
    if len(refusal) > _LONGEST_BYTES:
        return False
    return re.search(rb"(?<![A-Za-z0-9_])%b(?![A-Za-z0-9_])" % re.escape(name.encode()), refusal) is not None


def named_fields(refusal: bytes, names: Iterable[str]) -> list[str]:
    return [name for name in names if names_field(refusal, name)]


def members(body: bytes) -> Sequence[str]:
    """Returns the names of a JSON object's members. Empty if the body is no JSON object."""
    try:
        return tuple(_NAMES.decode(body))
    except MALFORMED:
        return ()


def without_field(body: bytes, name: str) -> bytes:
    return JsonMembers(body, frozenset()).replaced({}, frozenset((name,)))

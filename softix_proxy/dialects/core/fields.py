"""Reads the top-level members of a request body as raw bytes without decoding the body, and replaces a few of them.

softix must read the same values as the provider. So a member that matters may occur only once, however it is escaped,
and only in its exact spelling. Some servers ignore the case of names. Some take the first of two equal names, some the
last.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from softix_proxy.domain.core.errors import Code, RefusedError

T = TypeVar("T")
Replacements = Mapping[str, bytes]
"""A mapping from a member's name to its new value as JSON."""

_REROUTES = frozenset(("models", "fallbacks"))
"""The fields by which some providers run another model than `model`, at another price."""
ONE_MODEL = "Fallback models are not available here: a request names the one model that it pays for."
SHARED = _REROUTES | {"model", "stream", "service_tier"}
"""The fields that matter at every endpoint."""
LARGE_BODY_BYTES = 4 * 1024 * 1024
"""A size in bytes that exceeds the tokens of any context window.

In a larger body, references to other content cannot raise the bound.
"""
_MOST_PARTS = 50_000
"""The most objects and lists in a body.

Each of them takes a hundred bytes and a tenth of a microsecond, during which no other request is served.
"""

MALFORMED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""The exceptions that msgspec raises on malformed data."""

_LARGEST = 2**53
_MOST_MEMBERS = 1000
_SLICE_BYTES = 64 * 1024
_EMPTY = frozenset((b"null", b"false", b"[]", b'""'))
_LONGEST_EMPTY = 5
_TEXT = msgspec.json.Decoder(str)
_FLAG = msgspec.json.Decoder(bool)
_COUNT = msgspec.json.Decoder(int)


class _Name:
    """The name of a member. Two names with the same text are not equal, so that a mapping keeps both."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


class _Names:
    """A factory for the names of one object. It stops at an object with too many names.

    Such an object would take much time and memory.
    """

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = 0

    def __call__(self, kind: type[Any], text: str) -> _Name:
        self.left -= 1
        if self.left < 0:
            raise ValueError
        return _Name(text)


_NAMES = _Names()
_MEMBERS = msgspec.json.Decoder(dict[_Name, msgspec.Raw], dec_hook=_NAMES)


def invalid(message: str) -> RefusedError:
    return RefusedError(Code.INVALID_REQUEST, message)


def unmetered(message: str) -> RefusedError:
    return RefusedError(Code.ENDPOINT_NOT_METERED, message)


class JsonMembers:
    """The members of a JSON object that are in `watched`, each as the bytes that the provider will read."""

    __slots__ = ("_found", "_members")

    def __init__(self, body: bytes | msgspec.Raw, watched: frozenset[str], what: str = "The request body") -> None:
        """Raises RefusedError if this is no JSON object in UTF-8, or if a watched member is repeated or misspelt."""
        found: dict[str, msgspec.Raw] = {}
        _NAMES.left = _MOST_MEMBERS
        try:
            members = _MEMBERS.decode(body)
        except MALFORMED:
            raise invalid(f"{what} is not a valid JSON object of at most {_MOST_MEMBERS} members.") from None
        for name, value in members.items():
            text = name.text
            if text in watched:
                if text in found:
                    raise invalid(f"{what} has `{text}` twice.")
                found[text] = value
            elif (plain := text.casefold()) in watched:
                raise invalid(f"{what} spells `{plain}` in another way.")
        self._found, self._members = found, members

    def has(self, name: str) -> bool:
        """Returns whether the member has content. Null, false, an empty text and an empty list are no content."""
        value = self._found.get(name)
        return value is not None and (memoryview(value).nbytes > _LONGEST_EMPTY or bytes(value) not in _EMPTY)

    def has_any(self, names: frozenset[str]) -> bool:
        return not names.isdisjoint(self._found) and any(self.has(name) for name in names)

    def raw(self, name: str) -> msgspec.Raw | None:
        return self._found.get(name)

    def pairs(self) -> list[tuple[str, msgspec.Raw]]:
        """Returns each member, watched or not, with its value. A name may come more than once."""
        return [(name.text, value) for name, value in self._members.items()]

    def text(self, name: str) -> str | None:
        return self._typed(name, _TEXT, "a string")

    def flag(self, name: str) -> bool:
        value = self._typed(name, _FLAG, "true or false")
        return value is True

    def count(self, name: str, least: int = 1) -> int | None:
        value = self._typed(name, _COUNT, "a whole number")
        if value is not None and not least <= value <= _LARGEST:
            raise invalid(f"`{name}` must be a whole number from {least} to {_LARGEST}.")
        return value

    def largest(self, names: tuple[str, ...]) -> int | None:
        """Returns the largest value among several names of one limit, since a provider may use any of them."""
        most = None
        for name in names:
            if name in self._found and (value := self.count(name)) is not None:
                most = value if most is None else max(most, value)
        return most

    def replaced(self, changes: Replacements, without: frozenset[str] = frozenset()) -> bytes:
        """Returns the object with these members changed, added or left out. Each other value stays byte for byte.

        The object is copied only once.
        """
        left = dict(changes)
        parts: list[bytes | msgspec.Raw] = []
        for name, value in self._members.items():
            if name.text in without:
                continue
            parts += (b",", msgspec.json.encode(name.text), b":", left.pop(name.text, value))
        for text, new in left.items():
            parts += (b",", msgspec.json.encode(text), b":", new)
        parts[:1] = [b"{"]
        parts.append(b"}")
        return b"".join(parts)

    def renamed(self, names: Mapping[str, str]) -> bytes:
        """Returns the object with these members renamed or removed.

        A member is removed if its new name is empty or if the object already has a member of that name.
        """
        known, parts = {name.text for name in self._members}, list[bytes | msgspec.Raw]()
        for name, value in self._members.items():
            text = names.get(name.text, name.text)
            if text == name.text or (text and text not in known):
                parts += (b",", msgspec.json.encode(text), b":", value)
        parts[:1] = [b"{"]
        parts.append(b"}")
        return b"".join(parts)

    def _typed(self, name: str, decoder: msgspec.json.Decoder[T], kind: str) -> T | None:
        raw = self._found.get(name)
        if raw is None:
            return None
        try:
            return decoder.decode(raw)
        except MALFORMED:
            if bytes(raw) == b"null":
                return None
        raise invalid(f"`{name}` must be {kind}.")


def read_request(body: bytes, watched: frozenset[str]) -> tuple[str, JsonMembers]:
    """Returns the model that a request names, and its watched fields.

    Raises RefusedError as `read_fields` does, and if the body names no model or may run another one.
    """
    model, fields = read_model(body, watched)
    if not model:
        raise invalid("`model` is missing.")
    return model, fields


def read_model(body: bytes, watched: frozenset[str]) -> tuple[str | None, JsonMembers]:
    """Does the same as `read_request` for a request that need not name its model."""
    fields = read_fields(body, watched)
    if fields.has_any(_REROUTES):
        raise invalid(ONE_MODEL)
    return fields.text("model"), fields


def read_fields(body: bytes, watched: frozenset[str]) -> JsonMembers:
    """Reads the watched fields of a body. Raises RefusedError as `JsonMembers` does, and if the body is not UTF-8."""
    if not body.isascii():
        _check_utf8(body)
    return JsonMembers(body, watched)


def _check_utf8(body: bytes) -> None:
    """Checks that the body is UTF-8.

    It decodes in slices, since the decoded text of a large body takes up to four times its memory. JSON ends in ASCII.
    """
    decoder, view = codecs.getincrementaldecoder("utf-8")(), memoryview(body)
    try:
        for start in range(0, len(body), _SLICE_BYTES):
            decoder.decode(view[start : start + _SLICE_BYTES])
    except UnicodeDecodeError:
        raise invalid("The request body is not UTF-8.") from None


def is_heavy(body: bytes | msgspec.Raw) -> bool:
    """Returns whether it would take too long to decode all of it. Then the context window is the bound."""
    size = memoryview(body).nbytes
    if size > LARGE_BODY_BYTES:
        return True
    if size < _MOST_PARTS:
        return False
    data = body if isinstance(body, (bytes, bytearray)) else bytes(body)
    return data.count(b"{") + data.count(b"[") > _MOST_PARTS


def fits(raw: msgspec.Raw | None, decoder: msgspec.json.Decoder[Any]) -> bool:
    """Returns whether a member is absent or has this shape."""
    try:
        return raw is None or decoder.decode(raw) is not None
    except MALFORMED:
        return False

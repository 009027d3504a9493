"""Reading a request body without building it: its top-level members as raw bytes, and how to replace a few of them.

What is read here must be what the provider reads. So a member that matters may come only once, however it is escaped,
and in its own spelling: some servers match names without regard to case, some take the first of two, some the last.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from softix_proxy.domain.errors import Code, RefusedError

T = TypeVar("T")
Replacements = Mapping[str, bytes]
"""Member name → its new value as JSON."""

_REROUTES = frozenset(("models", "fallbacks"))
"""Fields by which some providers run another model than `model`, at another price."""
ONE_MODEL = "Fallback models are not available here: a request names the one model that it pays for."
SHARED = _REROUTES | {"model", "stream", "service_tier"}
"""What matters at every endpoint."""
LARGE_BODY_BYTES = 4 * 1024 * 1024
"""More bytes than any context has tokens: whatever else the body refers to cannot raise the bound."""
_MOST_PARTS = 50_000
"""Objects and lists: each takes a hundred bytes and a tenth of a microsecond, in which nobody else is served."""

MALFORMED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises on bytes that are not what they should be."""

_LARGEST = 2**53
_MOST_MEMBERS = 1000
_SLICE_BYTES = 64 * 1024
_EMPTY = frozenset((b"null", b"false", b"[]", b'""'))
_LONGEST_EMPTY = 5
_TEXT = msgspec.json.Decoder(str)
_FLAG = msgspec.json.Decoder(bool)
_COUNT = msgspec.json.Decoder(int)


class _Name:
    """A member's name. Two of the same text are not equal, so that a mapping keeps both."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


class _Names:
    """Makes the names of one object, and stops at one that would be nothing but names: they take much time and room."""

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
        """Raises RefusedError if this is no JSON object in UTF-8, or if a watched member comes twice or misspelt."""
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
        """Whether it is there and says something: not null, false, nor an empty text or list."""
        value = self._found.get(name)
        return value is not None and (memoryview(value).nbytes > _LONGEST_EMPTY or bytes(value) not in _EMPTY)

    def has_any(self, names: frozenset[str]) -> bool:
        return not names.isdisjoint(self._found) and any(self.has(name) for name in names)

    def raw(self, name: str) -> msgspec.Raw | None:
        return self._found.get(name)

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
        """Of several names of one limit, since a provider may go by any of them."""
        most = None
        for name in names:
            if name in self._found and (value := self.count(name)) is not None:
                most = value if most is None else max(most, value)
        return most

    def replaced(self, changes: Replacements, without: frozenset[str] = frozenset()) -> bytes:
        """The object with these members changed or added, or left out, each other value byte for byte; one copy."""
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
        """The object with these members under other names, or without them: where the new one is empty, or is there."""
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
    """The model that a request names, and its watched fields.

    Raises RefusedError: see `read_fields`; also where the body names no model, or may run another one.
    """
    model, fields = read_model(body, watched)
    if not model:
        raise invalid("`model` is missing.")
    return model, fields


def read_model(body: bytes, watched: frozenset[str]) -> tuple[str | None, JsonMembers]:
    """The same where a request need not name its model."""
    fields = read_fields(body, watched)
    if fields.has_any(_REROUTES):
        raise invalid(ONE_MODEL)
    return fields.text("model"), fields


def read_fields(body: bytes, watched: frozenset[str]) -> JsonMembers:
    """Raises RefusedError: see `JsonMembers`; also where the body is not UTF-8."""
    if not body.isascii():
        _check_utf8(body)
    return JsonMembers(body, watched)


def _check_utf8(body: bytes) -> None:
    """In slices, since the decoded text of a large body takes up to four times its room. JSON ends in ASCII."""
    decoder, view = codecs.getincrementaldecoder("utf-8")(), memoryview(body)
    try:
        for start in range(0, len(body), _SLICE_BYTES):
            decoder.decode(view[start : start + _SLICE_BYTES])
    except UnicodeDecodeError:
        raise invalid("The request body is not UTF-8.") from None


def is_heavy(body: bytes | msgspec.Raw) -> bool:
    """Whether to look into all of it would take too long: then the context is the bound."""
    size = memoryview(body).nbytes
    if size > LARGE_BODY_BYTES:
        return True
    if size < _MOST_PARTS:
        return False
    data = body if isinstance(body, (bytes, bytearray)) else bytes(body)
    return data.count(b"{") + data.count(b"[") > _MOST_PARTS


def fits(raw: msgspec.Raw | None, decoder: msgspec.json.Decoder[Any]) -> bool:
    """Whether a member, where it is there, is of this shape."""
    try:
        return raw is None or decoder.decode(raw) is not None
    except MALFORMED:
        return False

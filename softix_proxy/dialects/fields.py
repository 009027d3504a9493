"""Reading a request body without building it: its top-level members as raw bytes, and how to replace a few of them.

What is read here must be what the provider reads. So a member that matters may come only once, however it is escaped,
and in its own spelling: some servers match names without regard to case, some take the first of two, some the last.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from softix_proxy.domain.errors import Code, RefusedError

T = TypeVar("T")
Replacements = Mapping[str, bytes]
"""Member name → its new value as JSON."""

REROUTES = frozenset(("models", "fallbacks"))
"""Fields by which some providers run another model than `model`, at another price."""
SHARED = REROUTES | {"model", "stream", "service_tier"}
"""What matters at every endpoint."""
LARGE_BODY_BYTES = 4 * 1024 * 1024
"""More bytes than any context has tokens: whatever else the body refers to cannot raise the bound."""

_LARGEST = 2**53
_SLICE_BYTES = 64 * 1024
_EMPTY = frozenset((b"null", b"false", b"[]", b'""'))
_LONGEST_EMPTY = 5
_MALFORMED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_MODEL = re.compile(rb'"model"\s*:\s*("[^"\\]*")')
_OPENING = re.compile(rb"\s*\{(?!\s*\})")
_TEXT = msgspec.json.Decoder(str)
_FLAG = msgspec.json.Decoder(bool)
_COUNT = msgspec.json.Decoder(int)


class _Name:
    """A member's name. Two of the same text are not equal, so that a mapping keeps both."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


def _name(kind: type[Any], text: str) -> _Name:
    return _Name(text)


_MEMBERS = msgspec.json.Decoder(dict[_Name, msgspec.Raw], dec_hook=_name)


def invalid(message: str) -> RefusedError:
    return RefusedError(Code.INVALID_REQUEST, message)


class Fields:
    """The members of a JSON object that are in `watched`, each as the bytes that the provider will read."""

    __slots__ = ("_found",)

    def __init__(self, body: bytes | msgspec.Raw, watched: frozenset[str], what: str = "The request body") -> None:
        """Raises RefusedError if this is no JSON object in UTF-8, or if a watched member comes twice or misspelt."""
        found: dict[str, msgspec.Raw] = {}
        try:
            members = _MEMBERS.decode(body)
        except _MALFORMED:
            raise invalid(f"{what} is not a valid JSON object.") from None
        for name, value in members.items():
            text = name.text
            if text in watched:
                if text in found:
                    raise invalid(f"{what} has `{text}` twice.")
                found[text] = value
            elif (plain := text.casefold()) in watched:
                raise invalid(f"{what} spells `{plain}` in another way.")
        self._found = found

    def has(self, name: str) -> bool:
        """Whether it is there and says something: not null, false, nor an empty text or list."""
        value = self._found.get(name)
        return value is not None and (memoryview(value).nbytes > _LONGEST_EMPTY or bytes(value) not in _EMPTY)

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
            raise invalid(f"`{name}` must be a whole number from {least} on.")
        return value

    def _typed(self, name: str, decoder: msgspec.json.Decoder[T], kind: str) -> T | None:
        raw = self._found.get(name)
        if raw is None:
            return None
        try:
            return decoder.decode(raw)
        except _MALFORMED:
            if bytes(raw) == b"null":
                return None
        raise invalid(f"`{name}` must be {kind}.")


def read_request(body: bytes, watched: frozenset[str]) -> tuple[str, Fields]:
    """The model that a request names, and its watched fields.

    Raises RefusedError: see `Fields`; also where the body is not UTF-8, names no model, or may run another one.
    """
    if not body.isascii():
        _check_utf8(body)
    fields = Fields(body, watched)
    if any(fields.has(name) for name in REROUTES):
        raise invalid("Fallback models are not available here: a request names the one model that it pays for.")
    model = fields.text("model")
    if not model:
        raise invalid("`model` is missing.")
    return model, fields


def _check_utf8(body: bytes) -> None:
    """In slices, since the decoded text of a large body takes up to four times its room."""
    decoder, view = codecs.getincrementaldecoder("utf-8")(), memoryview(body)
    try:
        for start in range(0, len(body), _SLICE_BYTES):
            decoder.decode(view[start : start + _SLICE_BYTES])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise invalid("The request body is not UTF-8.") from None


def fits(raw: msgspec.Raw | None, decoder: msgspec.json.Decoder[Any]) -> bool:
    """Whether a member, where it is there, is of this shape."""
    try:
        return raw is None or decoder.decode(raw) is not None
    except _MALFORMED:
        return False


def replace(body: bytes, changes: Replacements) -> bytes:
    """The body with these top-level members changed or added; one copy.

    A model that is named once and members that are not there are spliced in. Whatever is less plain than that is
    written anew, member by member, each value as it came.
    """
    spliced = None if b"\\u00" in body else _splice(body, changes)
    if spliced is not None:
        return spliced
    members = {name.text: value for name, value in _MEMBERS.decode(body).items()}
    members.update((name, msgspec.Raw(value)) for name, value in changes.items())
    return msgspec.json.encode(members)


def _splice(body: bytes, changes: Replacements) -> bytes | None:
    """None where it is not certain that a name's only occurrence is the member itself."""
    view = memoryview(body)
    opening = _OPENING.match(body)
    model = _MODEL.search(body) if "model" in changes and body.count(b'"model"') == 1 else None
    added = [b'"%s":%s,' % (name.encode(), value) for name, value in changes.items() if name != "model"]
    if (
        opening is None
        or ("model" in changes and model is None)
        or any(b'"%s"' % name.encode() in body for name in changes if name != "model")
    ):
        return None
    start = opening.end()
    if model is None:
        return b"".join((view[:start], *added, view[start:]))
    return b"".join((view[:start], *added, view[start : model.start(1)], changes["model"], view[model.end(1) :]))

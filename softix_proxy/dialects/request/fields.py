"""Reads the top-level members of a request body as raw bytes without decoding the body, and replaces a few of them.

softix must read the same values as the provider. So a member that matters may occur only once, however it is escaped,
and only in its exact spelling. Some servers ignore the case of names. Some take the first of two equal names, some the
last.
"""

from __future__ import annotations

import codecs
from collections.abc import Generator, Iterator, Mapping
from typing import Any, TypeVar

import msgspec

from softix_proxy.dialects.request.scan import LargeList, Member, Scanned, elements, finished, members, scanned
from softix_proxy.domain.core.errors import Code, RefusedError

T = TypeVar("T")
Replacement = bytes | list[bytes | msgspec.Raw]
Replacements = Mapping[str, Replacement]
"""A mapping from a member's name to its new value as JSON, in one piece or in several."""

_REROUTES = frozenset(("models", "fallbacks"))
"""The fields by which some providers run another model than `model`, at another price."""
ONE_MODEL = "Fallback models are not available here: a request names the one model that it pays for."
SHARED = _REROUTES | {"model", "stream", "service_tier"}
"""The fields that matter at every endpoint."""
LARGE_BODY_BYTES = 4 * 1024 * 1024
"""A size in bytes that exceeds the tokens of any context window.

In a larger body, references to other content cannot raise the bound.
"""
SCANNED_BYTES = 1024 * 1024
"""The size of a body from which its members are found piece by piece, so that others are served meanwhile."""
_MOST_PARTS = 100_000
"""The most elements and members in a value that is decoded.

Each of them takes up to a hundred bytes and a tenth of a microsecond, during which no other request is served.
"""
_MOST_COMMAS = 500_000
"""The most commas in a body of which objects are made. Each may stand for an element, which takes some fifty bytes."""

_PARTS = b",{["
"""There is one of these for each element and each member."""
MALFORMED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""The exceptions that msgspec raises on malformed data."""

LISTS = frozenset(("documents", "input", "prompt", "prompt_embeds", "requests"))
"""The members whose elements matter one by one."""
MOST_ELEMENTS = 10_000
"""The most elements that are looked at one by one."""
_MOST_AT_ONCE = 2000
"""The most elements of a large list that are looked at without serving others meanwhile."""
_LARGEST = 2**53
_MOST_MEMBERS = 1000
_SLICE_BYTES = 64 * 1024
_EMPTY = frozenset((b"null", b"false", b"[]", b'""'))
_LONGEST_EMPTY = 5
_RAWS = msgspec.json.Decoder(list[msgspec.Raw])
_TEXT = msgspec.json.Decoder(str)
_OBJECT = b"{"[0]
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


def _named(view: memoryview, members: list[Member]) -> dict[_Name, msgspec.Raw]:
    return {_Name(name): msgspec.Raw(view[start:end]) for name, (start, end) in members}


def invalid(message: str) -> RefusedError:
    return RefusedError(Code.INVALID_REQUEST, message)


def unmetered(message: str) -> RefusedError:
    return RefusedError(Code.ENDPOINT_NOT_METERED, message)


def _list_steps(view: memoryview) -> Generator[None, None, LargeList]:
    """Finds the elements of a large list, and the members of each large object among them."""
    spans = yield from elements(view, MOST_ELEMENTS)
    inner: dict[int, list[Member]] = {}
    for number, (start, end) in enumerate(spans or ()):
        if end - start > SCANNED_BYTES and view[start] == _OBJECT:
            inner[number] = yield from members(view[start:end], _MOST_MEMBERS)
    return LargeList(spans, inner)


class JsonMembers:
    """The members of a JSON object that are in `watched`, each as the bytes that the provider will read."""

    __slots__ = ("_found", "_members", "_scanned", "others")

    def __init__(
        self,
        body: bytes | msgspec.Raw,
        watched: frozenset[str],
        what: str = "The request body",
        known: list[Member] | None = None,
    ) -> None:
        """Raises RefusedError if this is no JSON object in UTF-8, or if a watched member is repeated or misspelt.

        `known` are the members if they were found before.
        """
        found: dict[str, msgspec.Raw] = {}
        others: list[str] = []
        self._scanned = None
        try:
            if known is not None:
                members = _named(memoryview(body), known)
            elif type(body) is bytes and len(body) > SCANNED_BYTES:
                self._scanned = scanned(body) or finished(scan_steps(body))
                members = _named(memoryview(body), self._scanned.members)
            else:
                _NAMES.left = _MOST_MEMBERS
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
            else:
                others.append(text)
        self._found, self._members = found, members
        self.others = others
        """The names of the members that are not watched, in their order."""

    def has(self, name: str) -> bool:
        """Returns whether the member has content. Null, false, an empty text and an empty list are no content."""
        value = self._found.get(name)
        return value is not None and (memoryview(value).nbytes > _LONGEST_EMPTY or bytes(value) not in _EMPTY)

    def has_any(self, names: frozenset[str]) -> bool:
        return not names.isdisjoint(self._found) and any(self.has(name) for name in names)

    def items(self) -> Iterator[tuple[str, msgspec.Raw]]:
        """Yields every member in its order. A name that occurs twice is yielded twice."""
        return ((name.text, value) for name, value in self._members.items())

    def having(self, names: frozenset[str]) -> tuple[str, ...]:
        """Returns those of the names that have content, in the order of the alphabet."""
        return tuple(sorted(name for name in names if self.has(name))) if self.has_any(names) else ()

    def raw(self, name: str) -> msgspec.Raw | None:
        return self._found.get(name)

    def elements(self, name: str, most: int = MOST_ELEMENTS) -> list[msgspec.Raw] | None:
        """Returns the elements of a list. Returns None if it has more than `most`, or if this is no list.

        A large list is not decoded for this, since each element would take a hundred bytes.
        """
        raw = self._found.get(name)
        if raw is None:
            return []
        if not is_heavy(raw):
            try:
                listed = _RAWS.decode(raw)
            except MALFORMED:
                return None
            return listed if len(listed) <= most else None
        view, known = memoryview(raw), self._list(name)
        spans = known.spans if known is not None else finished(elements(view, min(most, _MOST_AT_ONCE)))
        return None if spans is None or len(spans) > most else [msgspec.Raw(view[start:end]) for start, end in spans]

    def pairs(self) -> list[tuple[str, msgspec.Raw]]:
        """Returns each member, watched or not, with its value. A name may come more than once."""
        return [(name.text, value) for name, value in self._members.items()]

    def objects(self, name: str, watched: frozenset[str], what: str, most: int) -> list[JsonMembers] | None:
        """Returns the elements of a list of objects. Returns None if it has more than `most`, or if this is no list.

        Raises RefusedError as the constructor does.
        """
        listed = self.elements(name, most)
        if listed is None:
            return None
        return [JsonMembers(each, watched, what, self.known_of(name, number)) for number, each in enumerate(listed)]

    def known_of(self, name: str, number: int) -> list[Member] | None:
        """Returns the members of a large element of this list, if they were found before."""
        known = self._list(name)
        return None if known is None else known.members.get(number)

    def _list(self, name: str) -> LargeList | None:
        """Returns what an earlier scan found in this list."""
        return None if self._scanned is None else self._scanned.lists.get(name)

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

    def given(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Returns those of the names that have a value. Null is none."""
        return tuple(name for name in names if (raw := self._found.get(name)) is not None and bytes(raw) != b"null")

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
            parts += (b",", msgspec.json.encode(name.text), b":")
            new = left.pop(name.text, value)
            parts += new if isinstance(new, list) else (new,)
        for text, added in left.items():
            parts += (b",", msgspec.json.encode(text), b":")
            parts += added if isinstance(added, list) else (added,)
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
    if scanned(body) is None and not body.isascii():
        _check_utf8(body)
    return JsonMembers(body, watched)


def _check_utf8(body: bytes) -> None:
    """Checks that the body is UTF-8. JSON ends in ASCII."""
    try:
        finished(_utf8_steps(body))
    except UnicodeDecodeError:
        raise invalid("The request body is not UTF-8.") from None


def _utf8_steps(body: bytes) -> Generator[None, None, None]:
    """Decodes in slices, since the decoded text of a large body takes up to four times its memory."""
    decoder, view = codecs.getincrementaldecoder("utf-8")(), memoryview(body)
    for start in range(0, len(body), _SLICE_BYTES):
        decoder.decode(view[start : start + _SLICE_BYTES])
        yield


def scan_steps(body: bytes) -> Generator[None, None, Scanned]:
    """Finds the members of a large body in steps, between which others can be served. Raises RefusedError.

    Whoever keeps what this returns spares the readers of this body the same work.
    """
    try:
        if not body.isascii():
            yield from _utf8_steps(body)
        found = yield from members(body, _MOST_MEMBERS)
        lists: dict[str, LargeList] = {}
        for name, (start, end) in found:
            if name in LISTS and end - start >= _MOST_PARTS:
                lists[name] = yield from _list_steps(memoryview(body)[start:end])
        return Scanned(body, found, lists)
    except UnicodeDecodeError:
        raise invalid("The request body is not UTF-8.") from None
    except ValueError:
        raise invalid(f"The request body is not a valid JSON object of at most {_MOST_MEMBERS} members.") from None


def is_heavy(body: bytes | msgspec.Raw) -> bool:
    """Returns whether it would take too long, or too much memory, to decode all of it.

    Commas and brackets are counted, within texts too: there is one for each element and member. If a member that a
    bound depends on is heavy, then the context window is the bound.
    """
    size = len(body) if isinstance(body, bytes) else memoryview(body).nbytes
    if size > LARGE_BODY_BYTES:
        return True
    if size < _MOST_PARTS:
        return False
    data = body if isinstance(body, (bytes, bytearray)) else bytes(body)
    return size - len(data.translate(None, _PARTS)) > _MOST_PARTS


def fits(raw: msgspec.Raw | None, decoder: msgspec.json.Decoder[Any]) -> bool:
    """Returns whether a member is absent or has this shape. One that is too heavy to be decoded has not."""
    if raw is None:
        return True
    if is_heavy(raw):
        return False
    try:
        return decoder.decode(raw) is not None
    except MALFORMED:
        return False


def is_dense(body: bytes) -> bool:
    """Returns whether a body has so many parts that to make objects of all of them would stop others for too long."""
    if len(body) < _MOST_PARTS:
        return False
    containers = commas = 0
    for start in range(0, len(body), SCANNED_BYTES):
        end = start + SCANNED_BYTES
        containers += body.count(b"{", start, end) + body.count(b"[", start, end)
        commas += body.count(b",", start, end)
    return containers > _MOST_PARTS or commas > _MOST_COMMAS

"""Finds where the members of a large JSON value begin and end, in steps between which other requests can be served.

msgspec skips a value without making anything of it, but in one go: a body of 64 MB would stop all others for a third
of a second. So a value that is longer than a piece is read piece by piece. msgspec checks each piece strictly, as it
would check the whole: it is given what is open before the piece, such as `[{"":`, and so the beginning of valid JSON.
What is open after a piece is found by counting quotes and brackets. Both take a few nanoseconds a byte, whatever the
bytes are, and memory for one piece.

These are generators. They yield between steps, return what they found, and raise ValueError if this is no valid JSON.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import NamedTuple, TypeVar
from weakref import WeakValueDictionary

import msgspec

PIECE_BYTES = 128 * 1024
"""The bytes of one step. They take at most some milliseconds."""
_FIRST_BYTES = 4 * 1024
"""The bytes of the first step of a value. Most values are shorter."""
_MOST_DEPTH = 500
"""The most objects and lists within each other. msgspec would stop a little later, as Python's recursion does."""
_MOST_KEY_BYTES = 64 * 1024
_MOST_SPACE_BYTES = 64 * 1024
_MEMBERS_IN_A_STEP = 64
_SPACE = b" \t\r\n"
_NUMBER = b"0123456789"
_SPACES = re.compile(rb"[ \t\r\n]*+")
_KEY = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"')
_HIGH = re.compile(rb"\\u[dD][89abAB][0-9A-Fa-f]{2}")
"""The first of two escapes that stand for one letter together."""
_RAW = msgspec.json.Decoder(msgspec.Raw)
_TEXT = msgspec.json.Decoder(str)
_TRUNCATED = "Input data was truncated"
_TRAILING = re.compile(r"JSON is malformed: trailing characters \(byte (\d+)\)")
_BROKEN_NUMBER = "JSON is malformed: invalid %s (byte %d)"
_AT_THE_END = ("number", "character")
"""What msgspec complains of just after these bytes if they end within a number, as in `1.` and `-`."""
_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")
_OPENS, _CLOSES = b"[{", b"]}"
_PAIRS = (b"[]", b"{}")
_ROUNDS = 32
"""How often neighbouring pairs of brackets are taken out of a piece at once, before each bracket is looked at."""

T = TypeVar("T")
Buffer = bytes | memoryview


class ByteSpan(NamedTuple):
    """The place of a value in a body."""

    start: int
    end: int


class Member(NamedTuple):
    """A member of an object."""

    name: str
    span: ByteSpan


class _State(NamedTuple):
    """What is open between two pieces of a value."""

    containers: bytes = b""
    """The brackets that are open, the outermost first."""
    in_text: bool = False
    in_name: bool = False
    """Whether the open text is the name of a member."""

    def prefix(self) -> bytes:
        """Returns the beginning of a JSON value that is in this state. Outside of a text, a comma has to follow."""
        outer, inner = self.containers[:-1], self.containers[-1:]
        opened = b"".join(b"[" if byte == _OPENS[0] else b'{"":' for byte in outer)
        if self.in_name:
            return opened + b'{"'
        end = b'"' if self.in_text else b"0"
        return opened + {b"[": b"[", b"{": b'{"":', b"": b""}[inner] + end


def members(body: Buffer, most: int) -> Generator[None, None, list[Member]]:
    """Finds the members of a body that is an object. Names that come twice are found twice.

    An object with more than `most` members is treated as if it were no valid JSON.
    """
    found: list[Member] = []
    at = _next(body, 0, b"{")
    if body[at : at + 1] == b"}":
        at += 1
    else:
        while True:
            match = _KEY.match(body, at, at + _MOST_KEY_BYTES)
            if match is None:
                raise ValueError
            name = _name(bytes(match[0]))
            start = _next(body, _spaced(body, match.end()), b":")
            end = yield from _end(body, start)
            found.append(Member(name, ByteSpan(start, end)))
            if len(found) > most:
                raise ValueError
            if len(found) % _MEMBERS_IN_A_STEP == 0:
                yield
            at = _spaced(body, end)
            if body[at : at + 1] == b"}":
                at += 1
                break
            at = _next(body, at, b",")
    if _spaced(body, at) != len(body):
        raise ValueError
    return found


def elements(body: Buffer, most: int) -> Generator[None, None, list[ByteSpan] | None]:
    """Finds the elements of a list. Returns None if it has more than `most`, or if this is no list."""
    if body[:1] != b"[":
        return None
    found: list[ByteSpan] = []
    at = _next(body, 0, b"[")
    if body[at : at + 1] == b"]":
        return found
    while True:
        end = yield from _end(body, at)
        found.append(ByteSpan(at, end))
        if len(found) > most:
            return None
        if len(found) % _MEMBERS_IN_A_STEP == 0:
            yield
        at = _spaced(body, end)
        if body[at : at + 1] == b"]":
            return found
        at = _next(body, at, b",")


def _name(raw: bytes) -> str:
    try:
        return _TEXT.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ValueError from None


def _next(body: Buffer, at: int, mark: bytes) -> int:
    """Returns the place of what follows this mark, which has to be next."""
    at = _spaced(body, at)
    if body[at : at + 1] != mark:
        raise ValueError
    return _spaced(body, at + 1)


def _spaced(body: Buffer, at: int) -> int:
    """Returns the place after the spaces at this one. Nobody writes as many as it takes long to pass over."""
    match = _SPACES.match(body, at, at + _MOST_SPACE_BYTES)
    end = match.end() if match is not None else at
    if end - at == _MOST_SPACE_BYTES:
        raise ValueError
    return end


def _end(body: Buffer, start: int) -> Generator[None, None, int]:
    """Finds the end of the value that begins here."""
    view, at, size, state = memoryview(body), start, _FIRST_BYTES, _State()
    prefix = b""
    while True:
        piece = view[at : at + size]
        found = _ended(b"".join((prefix, piece)) if prefix else piece)
        if found is not None and not (
            found == len(prefix) + len(piece) and at + size < len(body) and _in_number(piece)
        ):
            end = at + found - len(prefix)
            while body[end - 1] in _SPACE:
                end -= 1
            return end
        if at + size >= len(body):
            raise ValueError
        if size == PIECE_BYTES:
            taken, state = _advance(bytes(piece), state)
            at, prefix = at + taken, state.prefix()
            yield
        size = PIECE_BYTES


def _ended(beginning: bytes | memoryview) -> int | None:
    """Returns where the value ends that these bytes begin with, or None if they are only the beginning of it."""
    try:
        _RAW.decode(beginning)
    except msgspec.DecodeError as error:
        reason = str(error)
        if reason == _TRUNCATED or reason in (_BROKEN_NUMBER % (kind, len(beginning)) for kind in _AT_THE_END):
            return None
        match = _TRAILING.fullmatch(reason)
        if match is None:
            raise ValueError from None
        return int(match[1]) - 1
    except RecursionError:
        raise ValueError from None
    return len(beginning)


def _in_number(piece: memoryview) -> bool:
    """Returns whether the piece ends within a number or just after it. More of this number may follow."""
    return piece[-1] in _NUMBER


def _advance(piece: bytes, state: _State) -> tuple[int, _State]:
    """Returns how many bytes of the piece belong to the next state, and this state.

    The piece ends within a text, or else just before a comma. It is known to be valid JSON up to there.
    """
    masked = piece.replace(b"\\\\", b"--").replace(b'\\"', b"--") if b"\\" in piece else piece
    parts = masked.split(b'"')
    begins_in_text = state.in_text
    ends_in_text = begins_in_text == (len(parts) % 2 == 1)
    outside = parts[1::2] if begins_in_text else parts[::2]
    if ends_in_text:
        taken = _whole_escapes(masked)
    else:
        taken, outside = _up_to_comma(parts, len(piece), outside)
    containers = _opened(b"".join(outside), state.containers)
    if not ends_in_text:
        return taken, _State(containers)
    before = outside[-1].rstrip(_SPACE)[-1:] if outside else b""
    in_name = state.in_name if not outside else before == b"{" or (before == b"," and containers[-1:] == b"{")
    return taken, _State(containers, True, in_name)


def _whole_escapes(masked: bytes) -> int:
    """Returns where a piece that ends within a text can be cut: not within an escape, nor between two of one letter."""
    cut = masked.find(b"\\", max(len(masked) - 5, 0))
    cut = len(masked) if cut < 0 else cut
    return cut - 6 if _HIGH.fullmatch(masked, max(cut - 6, 0), cut) else cut


def _up_to_comma(parts: list[bytes], size: int, outside: list[bytes]) -> tuple[int, list[bytes]]:
    """Returns the place of the last comma outside of texts, and what is outside of texts before it."""
    end, index = size, len(parts) - 1
    left = list(outside)
    while left:
        begin = end - len(parts[index])
        at = parts[index].rfind(b",")
        if at >= 0 and begin + at > 0:
            left[-1] = parts[index][:at]
            return begin + at, left
        left.pop()
        end = begin - 2 - (len(parts[index - 1]) if index > 0 else 0)
        index -= 2
    raise ValueError


def _opened(outside: bytes, containers: bytes) -> bytes:
    """Returns what is open after these bytes outside of texts. Whether brackets fit together is known already."""
    brackets = outside.translate(None, _NO_BRACKETS)
    for _ in range(_ROUNDS):
        before = len(brackets)
        for pair in _PAIRS:
            brackets = brackets.replace(pair, b"")
        if len(brackets) == before:
            break
    still_open = bytearray(containers)
    for bracket in brackets:
        if bracket in _OPENS:
            still_open.append(bracket)
        elif still_open:
            still_open.pop()
    if len(still_open) > _MOST_DEPTH:
        raise ValueError
    return bytes(still_open)


class LargeList(NamedTuple):
    """What was found in a large list."""

    spans: list[ByteSpan] | None
    """The elements. None if there are too many, or if this is no list."""
    members: dict[int, list[Member]]
    """The members of large elements, by the numbers of these."""


class Scanned:
    """What was found in one large body before anybody asked for it.

    Whoever has the body keeps this as well, and lets go of both at once. Meanwhile it is found by the body itself, so
    that nothing between the two has to pass it on.
    """

    __slots__ = ("__weakref__", "body", "lists", "members")

    def __init__(self, body: bytes, members: list[Member], lists: dict[str, LargeList]) -> None:
        self.body = body
        self.members = members
        self.lists = lists
        """The large lists among the members."""
        _SCANNED[id(body)] = self


_SCANNED: WeakValueDictionary[int, Scanned] = WeakValueDictionary()


def scanned(body: bytes) -> Scanned | None:
    """Returns what is known of this very body."""
    known = _SCANNED.get(id(body)) if _SCANNED else None
    return known if known is not None and known.body is body else None


def finished(steps: Generator[None, None, T]) -> T:
    """Returns what the steps find, without serving anybody between them."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            found: T = stop.value
            return found

"""Finds the end of each object in a stream that is one JSON array, written element by element."""

from __future__ import annotations

import re
from collections.abc import Iterator

_OUTSIDE = re.compile(rb'["{}\[\]]')
_INSIDE = re.compile(rb'["\\]')
_OPENS = b"{["


class JsonArray:
    """A splitter of a JSON array. `feed` yields each object of it once it is complete. Chunks may be split anywhere."""

    def __init__(self, limit_bytes: int) -> None:
        """Objects with more bytes than the limit are neither kept nor yielded."""
        self._limit_bytes = limit_bytes
        self._object = bytearray()
        self._depth = 0
        self._in_text = False
        self._escaped = False

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        start = at = 0
        while at < len(chunk):
            if self._escaped:
                self._escaped = False
                at += 1
                continue
            match = (_INSIDE if self._in_text else _OUTSIDE).search(chunk, at)
            if match is None:
                break
            at = match.end()
            mark = match[0]
            if mark == b"\\":
                self._escaped = True
            elif mark == b'"':
                self._in_text = not self._in_text
            elif mark in _OPENS:
                self._depth += 1
                if self._depth == 2:
                    start = at - 1
            else:
                self._depth -= 1
                if self._depth == 1:
                    yield self._take(chunk[start:at])
        if self._depth > 1:
            self._keep(chunk[start:])

    def _keep(self, part: bytes) -> None:
        room = self._limit_bytes + 1 - len(self._object)
        self._object += part[: max(room, 0)]

    def _take(self, part: bytes) -> bytes:
        self._keep(part)
        whole, self._object = bytes(self._object), bytearray()
        return whole if len(whole) <= self._limit_bytes else b""

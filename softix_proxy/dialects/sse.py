"""Server-sent events in passing: where events end, which of them matter, and what passes untouched."""

from __future__ import annotations

import re
from enum import Enum

from softix_proxy.dialects.base import Report

MAX_EVENT_BYTES = 16 * 1024 * 1024
"""A larger event passes uninspected, so that a provider cannot fill the memory."""

_BLANK_LINE = re.compile(rb"\n\r?\n|\r\r")
_BLANK_LINES = (b"\n\n", b"\n\r\n", b"\r\r")
_LONGEST = 3
_BACKSLASH = ord("\\")
_TO_VALUE = 2
"""A string begins right after the colon, or after one space."""


class Fate(Enum):
    PASS = "pass"  # noqa: S105
    HIDE = "hide"
    END = "end"


def data_of(event: bytes) -> bytes:
    """The joined `data:` lines of one event; empty where it has none."""
    lines = (line[5:].removeprefix(b" ") for line in event.splitlines() if line.startswith(b"data:"))
    return b"\n".join(lines)


class EventMeter:
    """What the meters of all dialects share; see StreamMeter for the promise.

    Whole events pass at once, and only those that `is_plain` does not clear are looked into. An event that is not
    yet whole waits for its end: no client can use it before.
    """

    text_keys: tuple[bytes, ...] = ()
    """The JSON names, in quotes and with their colon, under which produced text comes."""

    def __init__(self) -> None:
        self.report: Report | None = None
        self.ended = False
        self.finishing = False
        self.failure: str | None = None
        self._tail = bytearray()
        self._held = bytearray()
        self._pieces = 0
        self._text_bytes = 0

    @property
    def held(self) -> bytes:
        return bytes(self._held + self._tail)

    def is_plain(self, events: bytes) -> bool:
        """Whether none of these whole events can hold usage, an error or an end. May err towards False."""
        raise NotImplementedError

    def inspect(self, event: bytes) -> Fate:
        """Reads one event that is not plain. Never raises on what a provider sends."""
        raise NotImplementedError

    def feed(self, chunk: bytes) -> bytes:
        if self._tail or self.ended or not chunk.endswith(_BLANK_LINES):
            chunk = self._whole_events(chunk)
            if not chunk:
                return b""
        if not self.ended and self.is_plain(chunk):
            self._weigh(chunk)
            return chunk
        return self._sort(chunk)

    def _whole_events(self, chunk: bytes) -> bytes:
        """What is complete with this chunk; the rest waits in the tail."""
        searched = max(len(self._tail) - _LONGEST, 0)
        self._tail += chunk
        ends = (found + len(line) for line in _BLANK_LINES if (found := self._tail.rfind(line, searched)) >= 0)
        end = max(ends, default=0)
        if not end and len(self._tail) > MAX_EVENT_BYTES:
            end = len(self._tail) - _LONGEST
        whole = bytes(memoryview(self._tail)[:end])
        del self._tail[:end]
        return whole

    def _sort(self, events: bytes) -> bytes:
        passed = []
        start = 0
        ends = [match.end() for match in _BLANK_LINE.finditer(events)]
        for end in (*ends, len(events)):
            event = events[start:end]
            start = end
            fate = Fate.PASS if self.is_plain(event) else self.inspect(event)
            self._weigh(event)
            if fate is Fate.HIDE:
                continue
            self.ended = self.ended or fate is Fate.END
            if self.ended:
                self._held += event
            else:
                passed.append(event)
        return b"".join(passed)

    def _weigh(self, events: bytes) -> None:
        """Counts the strings under `text_keys`: up to the quote that no backslash precedes."""
        find = events.find
        for key in self.text_keys:
            at = find(key)
            while at >= 0:
                at += len(key)
                start = find(b'"', at, at + _TO_VALUE) + 1
                if start:
                    at = find(b'"', start)
                    while at > start and events[at - 1] == _BACKSLASH:
                        at = find(b'"', at + 1)
                    if at > start:
                        self._pieces += 1
                        self._text_bytes += at - start
                at = find(key, at) if at >= 0 else -1

    def estimate_output_tokens(self) -> int:
        """A token for each piece of text, or for every four bytes of it, whichever is more.

        Providers send about a token an event, or several in one. Escapes make the text look longer; hidden
        reasoning cannot be seen.
        """
        return max(self._pieces, -(-self._text_bytes // 4))

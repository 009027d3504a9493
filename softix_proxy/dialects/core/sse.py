"""Meters server-sent events while they pass: finds where events end and which ones matter, and passes the others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum

from softix_proxy.dialects.core.base import UsageReport, Written
from softix_proxy.domain.access.objects import ObjectRef
from softix_proxy.domain.metering.text_tokens import MOST_COUNTED

MAX_EVENT_BYTES = 16 * 1024 * 1024
"""The largest event that is inspected. A larger one passes uninspected, so that a provider cannot fill the memory."""

_BLANK_LINE = re.compile(rb"\n\r?\n|\r\r")
_BLANK_LINES = (b"\n\n", b"\n\r\n", b"\r\r")
_LONGEST = 3
_ENDS_OF_DATA = (b"\n\n", b"\n\r\n")
"""What follows the last line of an event that has no other event behind it."""


class EventAction(Enum):
    PASS = "pass"  # noqa: S105
    HIDE = "hide"
    END = "end"


def data_of(event: bytes) -> bytes:
    """Returns the joined `data:` lines of one event. Empty if it has none."""
    lines = (line[5:].removeprefix(b" ") for line in event.splitlines() if line.startswith(b"data:"))
    return b"\n".join(lines)


def _lone_data(events: bytes) -> bytes | None:
    """Returns the data if this is surely a single event, as nearly all chunks are. None otherwise.

    It accepts one line of data with at most one line before it, and exactly one blank line after it. A second blank
    line is not part of the event: it passes even if the event is hidden.
    """
    at = events.find(b"data:")
    if at < 0 or (at and events.find(b"\n") != at - 1):
        return None
    end = events.find(b"\n", at)
    return events[at + 5 : end] if events[end:] in _ENDS_OF_DATA else None


def _ends(events: bytes) -> Iterator[int]:
    """Yields the end of each event.

    The regular expression is slow, and most servers end their lines with a line feed only.
    """
    if b"\r" in events:
        yield from (match.end() for match in _BLANK_LINE.finditer(events))
        return
    end = 0
    while (found := events.find(b"\n\n", end)) >= 0:
        end = found + 2
        yield end


class EventMeter:
    """The base of the meters of all dialects. `StreamMeter` describes its contract.

    An event that is not yet complete waits for its end, since no client can use it before. To decode the few members
    that matter of every event costs less than to search it for the words that would make it matter.
    """

    stored_refs: tuple[ObjectRef, ...] = ()

    def __init__(self) -> None:
        self.report: UsageReport | None = None
        self.ended = False
        self.finishing = False
        self.failure: str | None = None
        self._tail = bytearray()
        self._held = bytearray()
        self._taken = False
        self._pieces = 0
        self._texts: list[str] = []
        self._letters = 0

    def inspect(self, data: bytes) -> EventAction:
        """Reads the data of one event. It never raises, whatever a provider sends."""
        raise NotImplementedError

    def feed(self, chunk: bytes) -> bytes:
        if self.ended:
            return self._after_end(chunk)
        if self._tail or not chunk.endswith(_BLANK_LINES):
            chunk = self._whole_events(chunk)
        data = _lone_data(chunk)
        if data is None:
            return self._sort(chunk)
        fate = self.inspect(data)
        if fate is EventAction.PASS:
            return chunk
        if fate is EventAction.END:
            self._hold(chunk)
        return b""

    def take_held(self) -> bytes:
        held = bytes(self._held + self._tail)
        self._held, self._tail, self._taken = bytearray(), bytearray(), True
        return held

    def weigh(self, text: object) -> None:
        """Counts a piece of the model's output."""
        if text:
            self._pieces += 1
            if isinstance(text, str):
                self._letters += len(text)
                if self._letters <= MOST_COUNTED:
                    self._texts.append(text)

    def estimate_output_tokens(self) -> int:
        """Estimates one token for each piece of text, or for every four letters of it, whichever is more.

        Providers send about one token in an event, or several. Hidden reasoning cannot be seen.
        """
        return max(self._pieces, -(-self._letters // 4))

    def written(self) -> Written:
        return Written("".join(self._texts), self._letters, self._pieces)

    def _after_end(self, chunk: bytes) -> bytes:
        if self._taken:
            return chunk
        self._held += chunk
        return b""

    def _whole_events(self, chunk: bytes) -> bytes:
        """Returns the events that are complete with this chunk. The rest waits in the tail."""
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
        """Returns those of several events that may pass."""
        passed: list[bytes] = []
        start = 0
        for end in _ends(events):
            event = events[start:end]
            data = _lone_data(event)
            fate = self.inspect(data_of(event) if data is None else data)
            if fate is EventAction.END:
                self._hold(events[start:])
                return b"".join(passed)
            start = end
            if fate is EventAction.PASS:
                passed.append(event)
        return b"".join((*passed, events[start:]))

    def _hold(self, events: bytes) -> None:
        self.ended = True
        self._held += events + self._tail
        self._tail.clear()

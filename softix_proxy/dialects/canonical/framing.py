"""Splits a stream of server-sent events into its JSON objects. Its bytes may be split into chunks anywhere."""

from __future__ import annotations

import re
from collections.abc import Iterator

from softix_proxy.dialects.canonical.json_values import Object, encode, seen_object
from softix_proxy.dialects.core.sse import MAX_EVENT_BYTES, data_of

_BLANK_LINE = re.compile(rb"\n\r?\n|\r\r")


class Framer:
    """A splitter of server-sent events, which keeps incomplete data.

    An event larger than MAX_EVENT_BYTES is lost, so that no event can fill the memory. Nothing is read after the line
    that ends OpenAI's streams, however its bytes are split.
    """

    def __init__(self) -> None:
        self._tail = b""
        self.done = False
        """Whether the line that ends OpenAI's streams has come."""

    def feed(self, chunk: bytes) -> Iterator[Object]:
        whole = self._tail + chunk if self._tail else chunk
        start = 0
        if b"\r" in whole:
            for match in _BLANK_LINE.finditer(whole):
                yield from self._read(whole[start : match.start()])
                start = match.end()
        else:
            while (end := whole.find(b"\n\n", start)) >= 0:
                yield from self._read(whole[start:end])
                start = end + 2
        self._tail = whole[start:] if len(whole) - start <= MAX_EVENT_BYTES else b""

    def end(self) -> Iterator[Object]:
        """Yields the last event if the blank line after it is missing."""
        tail, self._tail = self._tail, b""
        yield from self._read(tail)

    def _read(self, event: bytes) -> Iterator[Object]:
        if self.done:
            return
        data = event[5:] if event.startswith(b"data:") and b"\n" not in event else data_of(event)
        found = seen_object(data) if data else None
        if found is not None:
            yield found
        elif data.strip() == b"[DONE]":
            self.done = True


def data_event(value: object) -> bytes:
    return b"data: %s\n\n" % encode(value)


def named_event(value: Object) -> bytes:
    """Writes an event whose name is its `type`, as in Anthropic's streams and those of responses."""
    return b"event: %s\ndata: %s\n\n" % (str(value["type"]).encode(), encode(value))

"""A stream of server-sent events as the JSON objects in it, however its bytes are split into chunks."""

from __future__ import annotations

import re
from collections.abc import Iterator

from softix_proxy.dialects.canonical.json_values import Object, encode, seen_object
from softix_proxy.dialects.core.sse import MAX_EVENT_BYTES, data_of

_BLANK_LINE = re.compile(rb"\n\r?\n|\r\r")


class Framer:
    """Keeps what is not yet whole. An event larger than MAX_EVENT_BYTES is lost, so that none can fill the memory."""

    def __init__(self) -> None:
        self._tail = b""
        self.done = False
        """The line that ends OpenAI's streams was seen."""

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
        """What came without the blank line that should have ended it."""
        tail, self._tail = self._tail, b""
        yield from self._read(tail)

    def _read(self, event: bytes) -> Iterator[Object]:
        data = event[5:] if event.startswith(b"data:") and b"\n" not in event else data_of(event)
        found = seen_object(data) if data else None
        if found is not None:
            yield found
        elif data.strip() == b"[DONE]":
            self.done = True


def data_event(value: object) -> bytes:
    return b"data: %s\n\n" % encode(value)


def named_event(value: Object) -> bytes:
    """With the name that its `type` is, as Anthropic's streams and those of responses have it."""
    return b"event: %s\ndata: %s\n\n" % (str(value["type"]).encode(), encode(value))

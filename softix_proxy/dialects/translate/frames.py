"""Splits a stream in AWS's framing into its JSON objects. Its bytes may be split into chunks anywhere."""

from __future__ import annotations

from collections.abc import Iterator

from softix_proxy.dialects.anthropic.envelopes import carried
from softix_proxy.dialects.canonical.json_values import Object, encode, seen_object, seen_text
from softix_proxy.dialects.canonical.write_error import anthropic_error
from softix_proxy.dialects.core.errors import classify_exception
from softix_proxy.dialects.core.event_stream import BrokenFramesError, EventStream, EventStreamMessage


class Frames:
    """A splitter of frames. It stops at a damaged frame, since the frames after it cannot be read."""

    done = False

    def __init__(self) -> None:
        self._stream = EventStream()

    def feed(self, chunk: bytes) -> Iterator[Object]:
        try:
            for event in self._stream.feed(chunk):
                found = self.read(event)
                if found is not None:
                    yield found
        except BrokenFramesError:
            return

    def end(self) -> Iterator[Object]:
        """Yields nothing, since an incomplete frame has no usable content."""
        return iter(())

    def read(self, event: EventStreamMessage) -> Object | None:
        """Returns the event as one member under the event's name, as AWS's SDKs show it."""
        found = seen_object(event.payload)
        return None if found is None else {event.kind: found}


class Chunks(Frames):
    """A splitter of InvokeModel's frames. Each of them holds an event of Anthropic's messages."""

    def read(self, event: EventStreamMessage) -> Object | None:
        data = as_message_event(event)
        return None if data is None else seen_object(data)


def as_message_event(event: EventStreamMessage) -> bytes | None:
    """Returns the JSON of an event of messages. None if there is none.

    For an exception, it is the JSON of the corresponding error.
    """
    if event.headers.get(":message-type", "event") == "event":
        return carried(event)
    message = seen_text(seen_object(event.payload) or {}, "message")
    return encode(anthropic_error(classify_exception(event.kind), message))

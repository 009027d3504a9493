"""A stream in AWS's frames as the JSON objects in it, however its bytes are split into chunks."""

from __future__ import annotations

from collections.abc import Iterator

from softix_proxy.dialects.envelopes import carried
from softix_proxy.dialects.errors import classify_exception
from softix_proxy.dialects.event_stream import BrokenFramesError, EventStream, EventStreamMessage
from softix_proxy.dialects.translate.wire import Object, encode, seen_object, seen_text
from softix_proxy.dialects.translate.write_error import anthropic_error


class Frames:
    """What is damaged is the end of it: nothing can be read of it any more."""

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
        """A frame that is not whole says nothing."""
        return iter(())

    def read(self, event: EventStreamMessage) -> Object | None:
        """As one member, under the event's name, as AWS's SDKs show it."""
        found = seen_object(event.payload)
        return None if found is None else {event.kind: found}


class Chunks(Frames):
    """InvokeModel's: each holds an event of Anthropic's messages."""

    def read(self, event: EventStreamMessage) -> Object | None:
        data = as_message_event(event)
        return None if data is None else seen_object(data)


def as_message_event(event: EventStreamMessage) -> bytes | None:
    """The JSON of an event of messages, or of the error that an exception is there; None where there is none."""
    if event.headers.get(":message-type", "event") == "event":
        return carried(event)
    message = seen_text(seen_object(event.payload) or {}, "message")
    return encode(anthropic_error(classify_exception(event.kind), message))

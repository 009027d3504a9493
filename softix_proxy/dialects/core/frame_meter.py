"""Meters streams in AWS's framing: finds their end and passes the other frames unchanged."""

from __future__ import annotations

from softix_proxy.dialects.core.errors import classify_exception
from softix_proxy.dialects.core.event_stream import BrokenFramesError, EventStream, EventStreamMessage
from softix_proxy.dialects.core.sse import EventAction, EventMeter


class FrameMeter(EventMeter):
    """A meter of a framed stream. The stream ends at an exception, or at the event for which `take` returns END."""

    def __init__(self) -> None:
        super().__init__()
        self._frames = EventStream()
        self._broken = False

    def take(self, event: EventStreamMessage) -> EventAction:
        """Reads one event that is no exception. It never raises, whatever a provider sends."""
        raise NotImplementedError

    def feed(self, chunk: bytes) -> bytes:
        """Returns the complete frames that may pass.

        After damage everything passes, since softix cannot read the frames any more.
        """
        if self.ended or self._broken:
            return self._after_end(chunk) if self.ended else chunk
        whole = self._frames.waiting + chunk
        at = 0
        try:
            for event in self._frames.feed(chunk):
                if self._read(event) is EventAction.END:
                    self._hold(whole[at:])
                    return whole[:at]
                at += event.size
        except BrokenFramesError:
            self._broken = True
            return whole
        return whole[:at]

    def take_held(self) -> bytes:
        waiting = b"" if self.ended or self._broken else self._frames.waiting
        return waiting + super().take_held()

    def _read(self, event: EventStreamMessage) -> EventAction:
        if event.headers.get(":message-type", "event") == "event":
            return self.take(event)
        self.failure = classify_exception(event.kind)
        return EventAction.END

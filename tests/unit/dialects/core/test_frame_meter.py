from __future__ import annotations

import pytest
from support.frames import event

from softix_proxy.dialects.core.event_stream import EventStreamMessage
from softix_proxy.dialects.core.frame_meter import FrameMeter
from softix_proxy.dialects.core.sse import EventAction


class Until(FrameMeter):
    def take(self, event: EventStreamMessage) -> EventAction:
        return EventAction.END if event.kind == "last" else EventAction.PASS


@pytest.mark.parametrize("size", [1, 7, 10**6])
def test_frame_meter_with_frames_after_the_last_passes_only_the_whole_ones_before(size: int) -> None:
    first, last, more = event("first", {}), event("last", {}), event("more", {})
    meter, stream, got = Until(), first + last + more, b""
    for start in range(0, len(stream), size):
        got += meter.feed(stream[start : start + size])
    assert (got, meter.take_held(), meter.ended, meter.failure) == (first, last + more, True, None)


def test_frame_meter_with_an_exception_frame_ends_with_its_failure() -> None:
    meter = Until()
    assert meter.feed(event("!modelTimeoutException", {"message": "late"})) == b""
    assert (meter.ended, meter.failure) == (True, "provider_timed_out")


def test_frame_meter_with_half_a_frame_hands_it_over_at_the_end() -> None:
    meter, half = Until(), event("first", {})[:-3]
    assert meter.feed(half) == b""
    assert (meter.take_held(), meter.ended) == (half, False)

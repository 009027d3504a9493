from __future__ import annotations

import pytest
from support.frames import chunk, event

from softix_proxy.dialects.translate.frames import Chunks, Frames

WORD = {"contentBlockIndex": 0, "delta": {"text": "a"}}
STREAM = event("contentBlockDelta", WORD) + event("!throttlingException", {"message": "slow"})


@pytest.mark.parametrize("size", [1, 9, 10**6])
def test_frames_with_split_input_yield_events_under_their_names(size: int) -> None:
    frames, found = Frames(), []
    for start in range(0, len(STREAM), size):
        found += list(frames.feed(STREAM[start : start + size]))
    assert found == [{"contentBlockDelta": WORD}, {"throttlingException": {"message": "slow"}}]
    assert list(frames.end()) == []


def test_frames_with_a_damaged_byte_yield_nothing_more() -> None:
    frames, damaged = Frames(), bytearray(STREAM)
    damaged[9] ^= 1
    assert list(frames.feed(bytes(damaged))) == []
    assert list(frames.feed(STREAM)) == []


def test_chunks_with_events_of_messages_yield_them_and_their_errors() -> None:
    error = {"type": "error", "error": {"type": "rate_limit_error", "message": "slow"}}
    stream = chunk({"type": "ping"}) + event("chunk", {"bytes": "?"}) + STREAM + event("other", [])
    assert list(Chunks().feed(stream)) == [{"type": "ping"}, error]

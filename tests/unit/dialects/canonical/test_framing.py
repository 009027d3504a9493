from __future__ import annotations

import pytest

from softix_proxy.dialects.canonical.framing import Framer, data_event, named_event
from softix_proxy.dialects.core.sse import MAX_EVENT_BYTES

STREAM = b': ping\n\ndata: {"a":1}\n\nevent: x\ndata: {"b":\ndata: 2}\n\ndata: nonsense\n\ndata: [DONE]\n\n'


@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_framer_with_a_split_stream_finds_the_same_objects(ending: bytes, size: int) -> None:
    framer, stream = Framer(), STREAM.replace(b"\n", ending)
    found = [item for at in range(0, len(stream), size) for item in framer.feed(stream[at : at + size])]
    assert found == [{"a": 1}, {"b": 2}]
    assert framer.done


@pytest.mark.parametrize("size", [1, 1000])
def test_framer_after_the_line_that_ends_the_stream_reads_nothing(size: int) -> None:
    framer, stream = Framer(), b'data: {"a":1}\n\ndata: [DONE]\n\ndata: {"error":{}}\n\ndata: {"b":2}'
    found = [item for at in range(0, len(stream), size) for item in framer.feed(stream[at : at + size])]
    assert [*found, *framer.end()] == [{"a": 1}]


def test_framer_with_an_unfinished_last_event_returns_it_at_the_end() -> None:
    framer = Framer()
    assert list(framer.feed(b'data: {"a":1}')) == []
    assert list(framer.end()) == [{"a": 1}]
    assert list(framer.end()) == []


def test_framer_with_an_event_over_the_limit_drops_it() -> None:
    framer = Framer()
    assert list(framer.feed(b"data: " + b"x" * MAX_EVENT_BYTES)) == []
    assert list(framer.feed(b'data: {"a":1}\n\n')) == [{"a": 1}]


def test_data_event_and_named_event_return_their_lines() -> None:
    assert data_event({"a": 1}) == b'data: {"a":1}\n\n'
    assert named_event({"type": "x"}) == b'event: x\ndata: {"type":"x"}\n\n'

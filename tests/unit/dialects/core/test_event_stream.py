from __future__ import annotations

from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.frames import event, frame

from softix_proxy.dialects.core.event_stream import BrokenFramesError, EventStream

ONE, TWO = event("messageStart", {"role": "assistant"}), frame({}, b"")
STREAM = ONE + TWO + event("!throttlingException", {"message": "wait"})
KNOWN = bytes.fromhex(
    "0000003d0000002007fd83960c636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e7b27666f6f273a27626172277d8d9c08b1"
)
"""A frame from AWS's own test vectors: one text header, and `{'foo':'bar'}`."""


def test_event_stream_with_the_example_of_aws_reads_it() -> None:
    [found] = EventStream().feed(KNOWN)
    assert (found.headers, found.payload) == ({"content-type": "application/json"}, b"{'foo':'bar'}")
    assert found.size == len(KNOWN) and frame(found.headers, found.payload) == KNOWN


@given(st.sets(st.integers(1, len(STREAM) - 1), max_size=20))
def test_event_stream_with_split_input_finds_the_same_events(cuts: set[int]) -> None:
    stream, found = EventStream(), []
    ends = sorted(cuts)
    for start, end in zip([0, *ends], [*ends, len(STREAM)], strict=True):
        found += list(stream.feed(STREAM[start:end]))
    assert [one.kind for one in found] == ["messageStart", "", "throttlingException"]
    assert sum(one.size for one in found) == len(STREAM) and stream.waiting == b""


def test_event_stream_with_an_unfinished_event_waits_for_the_rest() -> None:
    stream = EventStream()
    assert list(stream.feed(ONE[:-1])) == [] and stream.waiting == ONE[:-1]
    assert len(list(stream.feed(ONE[-1:]))) == 1


@pytest.mark.parametrize("place", range(len(ONE)))
def test_event_stream_with_any_damaged_byte_is_refused(place: int) -> None:
    damaged = bytearray(ONE)
    damaged[place] ^= 1
    with pytest.raises(BrokenFramesError):
        list(EventStream().feed(bytes(damaged)))


@pytest.mark.parametrize("stream", [b"data: {}\n\n" * 3, b"{" * 100, b"\x00" * 100])
def test_event_stream_with_another_framing_is_refused(stream: bytes) -> None:
    with pytest.raises(BrokenFramesError):
        list(EventStream().feed(stream))


def with_headers(headers: bytes) -> bytes:
    prelude = (16 + len(headers)).to_bytes(4, "big") + len(headers).to_bytes(4, "big")
    rest = prelude + crc32(prelude).to_bytes(4, "big") + headers
    return rest + crc32(rest).to_bytes(4, "big")


def test_event_stream_with_other_header_types_skips_them() -> None:
    others = b"\x01a\x00\x01b\x02\x05\x01c\x08" + b"\x00" * 8 + b"\x01d\x06\x00\x03abc"
    [found] = EventStream().feed(with_headers(others + b"\x01e\x07\x00\x01x"))
    assert found.headers == {"e": "x"}


@pytest.mark.parametrize("headers", [b"\x05ab", b"\x01a\x07\x00\x09x", b"\x01a\x63"])
def test_event_stream_with_truncated_headers_is_refused(headers: bytes) -> None:
    with pytest.raises(BrokenFramesError):
        list(EventStream().feed(with_headers(headers)))

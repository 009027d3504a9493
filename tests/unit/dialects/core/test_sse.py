from __future__ import annotations

import pytest

from softix_proxy.dialects.core import sse
from softix_proxy.dialects.core.sse import EventAction, EventMeter, data_of
from softix_proxy.domain.metering.text_tokens import MOST_COUNTED


class Meter(EventMeter):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[bytes] = []

    def inspect(self, data: bytes) -> EventAction:
        self.seen.append(data.strip())
        return {b"hide": EventAction.HIDE, b"end": EventAction.END}.get(data.strip(), EventAction.PASS)


def test_data_of_an_event_with_several_lines_joins_them() -> None:
    assert data_of(b"event: x\ndata: {\ndata:}\nid: 1\n\n") == b"{\n}"
    assert data_of(b": comment\n\n") == b""


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_sse_meter_with_each_line_ending_sees_the_same_events(end: bytes) -> None:
    meter = Meter()
    lines = [b"data: a", b"", b"event: b", b"data: b", b"", b": c", b"", b"data: hide", b"", b"data: d", b""]
    stream = b"".join(line + end for line in lines)
    hidden = b"data: hide" + end * 2
    assert meter.feed(stream) == stream.replace(hidden, b"")
    assert meter.seen == [b"a", b"b", b"", b"hide", b"d"]


@pytest.mark.parametrize(
    "chunk", [b"data: a\ndata: b\n\n", b"id: 1\nevent: x\ndata: a\ndata: b\n\n", b"data: a\nid: 1\n\n"]
)
def test_sse_meter_with_an_event_of_several_lines_passes_it_whole(chunk: bytes) -> None:
    meter = Meter()
    assert meter.feed(chunk) == chunk
    assert meter.seen == [data_of(chunk)]


def test_sse_meter_with_a_hidden_event_passes_the_event_before_it() -> None:
    assert Meter().feed(b": ping\n\ndata: hide\n\n") == b": ping\n\n"


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_sse_meter_with_a_hidden_event_before_a_second_blank_line_hides_the_event_alone(end: bytes) -> None:
    whole, apart, stream = Meter(), Meter(), b"data: hide" + end * 3
    assert whole.feed(stream) + whole.take_held() == end
    assert b"".join(apart.feed(stream[at : at + 1]) for at in range(len(stream))) + apart.take_held() == end


def test_sse_meter_with_an_unfinished_event_waits_for_the_rest() -> None:
    meter = Meter()
    assert meter.feed(b"data: a\n\ndata: b") == b"data: a\n\n"
    assert meter.feed(b"\n") == b""
    assert meter.feed(b"\ndata") == b"data: b\n\n"
    assert not meter.ended and meter.take_held() == b"data"


def test_sse_meter_after_the_last_event_holds_everything_until_taken() -> None:
    meter = Meter()
    assert meter.feed(b"data: a\n\ndata: end\n\ndata: b\n\ndat") == b"data: a\n\n"
    assert meter.ended and meter.feed(b"a: c") == b""
    assert meter.take_held() == b"data: end\n\ndata: b\n\ndata: c"
    assert meter.feed(b"\n") == b"\n" and meter.feed(b"data: hide\n\n") == b"data: hide\n\n"
    assert meter.take_held() == b"" and meter.seen == [b"a", b"end"]


def test_sse_meter_with_an_event_over_the_limit_passes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT_BYTES", 100)
    meter = Meter()
    chunks = [b"data: " + b"x" * 90, b"y" * 50, b"z\n", b"\ndata: b\n\n"]
    got = [meter.feed(chunk) for chunk in chunks]
    assert got[0] == b"" and len(got[1]) > 100
    assert b"".join(got) == b"".join(chunks) and meter.seen[-1] == b"b"


def test_sse_meter_estimate_is_one_token_for_each_piece_or_four_letters() -> None:
    meter = Meter()
    for text in ("a", "", None, "b", [1]):
        meter.weigh(text)
    assert meter.estimate_output_tokens() == 3
    meter.weigh("é" * 20)
    assert meter.estimate_output_tokens() == 6
    assert meter.written() == ("ab" + "é" * 20, 22, 4)


def test_sse_meter_keeps_no_more_text_than_is_counted_at_once() -> None:
    meter = Meter()
    for _ in range(3):
        meter.weigh("x" * (MOST_COUNTED // 2))
    assert meter.written() == ("x" * MOST_COUNTED, MOST_COUNTED // 2 * 3, 3)

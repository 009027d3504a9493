from __future__ import annotations

import base64
import json
from dataclasses import asdict
from typing import Any

import pytest
from support.frames import chunk, event, frame

from softix_proxy.dialects.anthropic.envelopes import Invoke, InvokeStream, RawPredict, StreamRawPredict, carried
from softix_proxy.dialects.core.event_stream import EventStreamMessage

START = {"type": "message_start", "message": {"model": "claude-x", "usage": {"input_tokens": 9, "output_tokens": 1}}}
WORD = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello"}}
DELTA = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 4}}
STOP = {"type": "message_stop", "amazon-bedrock-invocationMetrics": {"inputTokenCount": 9}}
METERS = {"input_tokens": 9, "output_tokens": 4}


@pytest.mark.parametrize("endpoint", [Invoke(), RawPredict()])
def test_envelope_answer_is_metered_as_one_of_messages(endpoint: Any) -> None:
    report = endpoint.report(json.dumps({"usage": METERS, "model": "claude-x"}).encode())
    assert report and (report.meters, report.model_served) == (METERS, "claude-x")
    assert endpoint.report(b"nonsense") is None


@pytest.mark.parametrize("size", [1, 11, 10**6])
def test_invoke_stream_in_frames_is_metered_to_its_end(size: int) -> None:
    meter, got = InvokeStream().stream(hide_usage=False), b""
    sent = [chunk(told) for told in (START, WORD, DELTA, STOP)]
    stream = b"".join(sent)
    for start in range(0, len(stream), size):
        got += meter.feed(stream[start : start + size])
    assert (got, meter.take_held(), meter.ended) == (b"".join(sent[:-1]), sent[-1], True)
    assert meter.report and asdict(meter.report)["meters"] == METERS
    assert meter.finishing and meter.estimate_output_tokens() == 2


def test_raw_predict_stream_of_server_sent_events_is_metered() -> None:
    meter = StreamRawPredict().stream(hide_usage=True)
    stream = b"".join(b"data: " + json.dumps(told).encode() + b"\n\n" for told in (START, DELTA, STOP))
    meter.feed(stream)
    assert meter.ended and meter.report and meter.report.meters == METERS


@pytest.mark.parametrize("payload", [b"", b"[]", b"{}", b'{"bytes":7}', b'{"bytes":"?"}'])
def test_frame_without_a_carried_event_passes_unchanged(payload: bytes) -> None:
    assert carried(EventStreamMessage({}, payload, 0)) is None
    meter, strange = InvokeStream().stream(hide_usage=False), frame({":event-type": "chunk"}, payload)
    assert meter.feed(strange) == strange


def test_frame_with_a_carried_event_is_decoded() -> None:
    assert carried(EventStreamMessage({}, json.dumps({"bytes": base64.b64encode(b"{}").decode()}).encode(), 0)) == b"{}"
    assert InvokeStream().stream(hide_usage=False).feed(event("!throttlingException", {})) == b""

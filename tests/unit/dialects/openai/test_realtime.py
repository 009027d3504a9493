from __future__ import annotations

import json
from typing import Any

import pytest

from softix_proxy.dialects.openai.realtime import REALTIME, Conversation, ResponseMeter, read_event, read_server_event
from softix_proxy.domain.core.errors import Code, RefusedError


def event(kind: str, **fields: Any) -> bytes:
    return json.dumps({"type": kind, **fields}).encode()


USAGE = {
    "input_tokens": 1000,
    "output_tokens": 500,
    "input_token_details": {
        "text_tokens": 150,
        "audio_tokens": 800,
        "image_tokens": 50,
        "cached_tokens": 620,
        "cached_tokens_details": {"text_tokens": 100, "audio_tokens": 500, "image_tokens": 20},
    },
    "output_token_details": {"text_tokens": 100, "audio_tokens": 400},
}


def test_realtime_report_with_all_details_has_disjoint_meters() -> None:
    report = REALTIME.report(json.dumps({"usage": USAGE}).encode())
    assert report is not None and not report.clamped
    assert report.meters == {
        "cached_audio_input_tokens": 500,
        "cached_image_input_tokens": 20,
        "cached_input_tokens": 100,
        "audio_input_tokens": 300,
        "image_input_tokens": 30,
        "input_tokens": 50,
        "audio_output_tokens": 400,
        "output_tokens": 100,
    }
    assert sum(report.meters.values()) == 1500


@pytest.mark.parametrize("body", [b"{}", b'{"usage":null}', b"[", b'{"usage":{"input_tokens":-1,"output_tokens":2}}'])
def test_realtime_report_without_usable_counts_is_none(body: bytes) -> None:
    assert REALTIME.report(body) is None


def test_realtime_request_with_a_model_is_read_and_without_one_is_refused() -> None:
    spec = REALTIME.read(b'{"model":"gpt-realtime"}')
    assert (spec.model, spec.stream, spec.open_input, spec.adjustable) == ("gpt-realtime", True, True, False)
    with pytest.raises(RefusedError):
        REALTIME.read(b'{"model":""}')


@pytest.mark.parametrize(
    "message",
    [
        event("wombat"),
        event("session.update", session={"type": "transcription"}),
        event("session.update", session={"input_audio_transcription": {"model": "whisper-1"}}),
        event("session.update", session={"audio": {"input": {"transcription": {"model": "whisper-1"}}}}),
        event("session.update", session={"prompt": {"id": "pmpt_1"}}),
        event("session.update", session={"tools": [{"type": "code_interpreter"}]}),
        event("response.create", response={"tools": [{"type": "image_generation"}]}),
    ],
)
def test_client_event_that_cannot_be_metered_is_refused(message: bytes) -> None:
    with pytest.raises(RefusedError) as caught:
        read_event(message, "gpt", "gpt")
    assert caught.value.code is Code.ENDPOINT_NOT_METERED


@pytest.mark.parametrize(
    "message",
    [
        b'{"type":"input_audio_buffer.clear","type":"response.create"}',
        b'{"Type":"response.create"}',
        b"[]",
        b"\xff",
        event("session.update", session={"model": "dearer"}),
    ],
)
def test_client_event_that_is_malformed_is_refused(message: bytes) -> None:
    with pytest.raises(RefusedError) as caught:
        read_event(message, "gpt", "gpt")
    assert caught.value.code is Code.INVALID_REQUEST and "dearer" not in caught.value.message


def test_client_event_that_is_accepted_stays_unchanged_except_for_the_model() -> None:
    told = {"audio": {"input": {"transcription": None, "format": {}}}, "tools": [{"type": "function"}]}
    message = event("session.update", event_id="e", session=told)
    assert read_event(message, "gpt", "up") == ("session.update", "e", message, False, (), 0)
    apart = read_event(event("response.create", response={"conversation": "none"}), "gpt", "up")
    assert apart.apart
    renamed = read_event(event("session.update", session={"model": "gpt", "voice": "x"}), "gpt", "up")
    assert json.loads(renamed.message)["session"] == {"model": "up", "voice": "x"}


def test_server_event_of_each_kind_is_read() -> None:
    assert read_server_event(event("response.created", response={"id": "r"}))[:2] == ("response.created", "r")
    assert read_server_event(event("response.text.delta", response_id="r", delta="x")).response_id == "r"
    error = read_server_event(event("error", error={"event_id": "e", "code": "rate_limit_exceeded"}))
    assert (error.about, error.error) == ("e", "provider_rate_limited")
    assert read_server_event(b"\xff").kind == ""


def test_response_meter_holds_the_last_event_and_estimates_the_output() -> None:
    meter = ResponseMeter()
    deltas = [
        event("response.output_text.delta", delta="x" * 41),
        event("response.output_audio.delta", delta="A" * 3201),
        event("response.output_audio_transcript.delta", delta="x" * 4),
    ]
    assert [meter.feed(delta) for delta in deltas] == deltas
    assert meter.made() == {"output_tokens": 12, "audio_output_tokens": 2} and meter.estimate_output_tokens() == 14
    done = event("response.done", response={"id": "r", "status": "completed", "usage": USAGE})
    assert meter.feed(done) == b"" and meter.ended and meter.report is not None and meter.failure is None
    assert meter.take_held() == done


def test_response_meter_with_a_failed_response_has_its_failure() -> None:
    meter = ResponseMeter()
    error = {"type": "server_error", "code": "server_error"}
    meter.feed(event("response.done", response={"id": "r", "status": "failed", "status_details": {"error": error}}))
    assert (meter.report, meter.failure) == (None, "provider_fault")


def test_conversation_with_a_cut_response_estimates_its_input() -> None:
    conversation, meter = Conversation(), ResponseMeter()
    report = REALTIME.report(json.dumps({"usage": USAGE}).encode())
    assert report is not None
    conversation.told(report)
    conversation.heard(read_event(event("input_audio_buffer.append", audio="A" * 6300), "g", "g"))
    assert conversation.typical(meter) == {"audio_input_tokens": 1201, "input_tokens": 300}


def test_client_event_counts_the_members_of_its_session_that_nobody_knows() -> None:
    session = {"type": "realtime", "wombat": 1, "instructions": "x", "turn_detection": None}
    assert read_event(event("session.update", session=session), "m", "m").unknown_members == 1
    assert read_event(event("response.create", response={"modalities": ["text"]}), "m", "m").unknown_members == 0

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from support.playbook import ANSWER, DONE, HELLO, LAB, STOP, USAGE, Exchange, Stage

from softix_proxy.domain.catalog.providers import ProviderType
from softix_proxy.domain.core.errors import Code
from softix_proxy.domain.metering.admission import Admitted, Allowance
from softix_proxy.domain.metering.text_tokens import count_tokens
from softix_proxy.domain.metering.usage import UsageSource
from softix_proxy.domain.ports.upstream import ProviderFault
from softix_proxy.relay.core.inbound import ClientGoneError

ASK: dict[str, Any] = {"model": "llama", "max_tokens": 50, "messages": [{"role": "user", "content": "hello"}]}
PLAIN = json.dumps(ASK).encode()
STREAM = json.dumps({**ASK, "stream": True}).encode()
FULL = {
    **json.loads(ANSWER),
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
}
METERS = {"input_tokens": 7, "output_tokens": 5, "requests": 1}


@pytest.fixture
def stage() -> Stage:
    return Stage()


def sent(stage: Stage) -> Any:
    return json.loads(stage.upstream.calls[-1].body)


async def test_translated_whole_response_is_sent_in_the_client_dialect_and_settled(stage: Stage) -> None:
    stage.upstream.answer = Exchange(json.dumps(FULL).encode(), headers=[("content-type", "application/json")])
    await stage.serve(json.dumps({**ASK, "top_k": 3}).encode(), "messages")
    call, body = stage.upstream.calls[-1], json.loads(stage.client.body)
    assert (call.path, sent(stage)["max_tokens"]) == ("/v1/chat/completions", 50)
    assert (body["type"], body["content"]) == ("message", [{"type": "text", "text": "hi"}])
    assert body["usage"]["output_tokens"] == 5
    assert stage.client.headers["x-softix-dropped"] == "top_k"
    assert "x-softix-cost-usd" in stage.client.headers
    stage.settled_once()
    assert (stage.settlement.source, stage.settlement.meters) == (UsageSource.PROVIDER, METERS)
    assert stage.settlement.intent.endpoint == "messages"


async def test_translated_stream_ends_only_after_its_settlement(stage: Stage) -> None:
    stage.streams(HELLO, STOP, USAGE, DONE)
    await stage.serve(STREAM, "messages")
    assert sent(stage)["stream_options"] == {"include_usage": True}
    events = [line[7:] for line in stage.client.body.decode().splitlines() if line.startswith("event: ")]
    assert events == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert stage.client.headers["content-type"] == "text/event-stream"
    assert "x-softix-dropped" not in stage.client.headers
    story = stage.journal.story
    assert story.index("settled") < len(story) - 1 - story[::-1].index("send")
    stage.settled_once()
    assert (stage.settlement.source, stage.settlement.meters) == (UsageSource.PROVIDER, METERS)


async def test_translated_provider_error_is_sent_in_the_client_dialect(stage: Stage) -> None:
    error = {"error": {"message": "slow down", "type": "requests", "code": "rate_limit_exceeded"}}
    stage.upstream.answer = Exchange(json.dumps(error).encode(), status=429)
    await stage.serve(PLAIN, "messages")
    assert stage.client.status == 429
    assert json.loads(stage.client.body) == {
        "type": "error",
        "error": {"type": "rate_limit_error", "message": "slow down"},
    }
    assert stage.settlement.error == "provider_rate_limited"


async def test_translated_request_with_essential_untranslatable_field_is_refused_before_sending(stage: Stage) -> None:
    refused = await stage.refused(json.dumps({**ASK, "container": "c"}).encode(), endpoint="messages")
    assert refused.code is Code.INVALID_REQUEST
    assert stage.upstream.calls == []
    stage.settled_once()
    assert (stage.settlement.source, stage.settlement.charge_pico) == (UsageSource.NONE, 0)
    assert (stage.settlement.error, stage.settlement.status_code) == ("invalid_request", 400)


async def test_translated_request_contains_the_affordable_limit(stage: Stage) -> None:
    stage.journal.decisions = [Admitted(1, 20, 0, Allowance())]
    stage.upstream.answer = Exchange(json.dumps(FULL).encode())
    await stage.serve(PLAIN, "messages")
    assert sent(stage)["max_tokens"] == 20


async def test_translated_stream_after_client_disconnect_is_estimated(stage: Stage) -> None:
    stage.streams(HELLO, stage.client.hang_up, STOP)
    with pytest.raises(ClientGoneError):
        await stage.serve(STREAM, "messages")
    stage.settled_once()
    assert (stage.settlement.source, stage.settlement.error) == (UsageSource.ESTIMATE, "client_hung_up")


async def test_translated_stream_broken_off_by_the_provider_is_cut_without_final_event(stage: Stage) -> None:
    stage.streams(HELLO, ProviderFault(Code.PROVIDER_BROKE_OFF, started=True))
    await stage.serve(STREAM, "messages")
    assert stage.journal.story[-1] == "cut"
    assert b"message_stop" not in stage.client.body
    stage.settled_once()


async def test_translated_response_that_is_no_json_is_refused(stage: Stage) -> None:
    stage.upstream.answer = Exchange(b"<html>")
    assert (await stage.refused(PLAIN, endpoint="messages")).code is Code.PROVIDER_BROKE_OFF
    stage.settled_once()


@pytest.mark.parametrize(
    ("fields", "path"),
    [({}, "/v1/responses"), ({"stop_sequences": ["x"]}, "/v1/chat/completions")],
)
async def test_translated_request_uses_the_best_provider_dialect_that_has_all_its_fields(
    fields: dict[str, Any], path: str
) -> None:
    stage = Stage(providers=(replace(LAB, type=ProviderType.OPENAI),))
    stage.upstream.answer = Exchange(json.dumps(FULL).encode())
    await stage.serve(json.dumps({**ASK, **fields}).encode(), "messages")
    assert stage.upstream.calls[-1].path == path


async def test_translated_request_to_anthropic_has_its_headers_and_an_output_limit() -> None:
    stage = Stage(providers=(replace(LAB, type=ProviderType.ANTHROPIC),))
    answer = {
        "type": "message",
        "content": [],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }
    stage.upstream.answer = Exchange(json.dumps(answer).encode())
    await stage.serve(json.dumps({**ASK, "max_tokens": None}).encode())
    call = stage.upstream.calls[-1]
    assert call.path == "/v1/messages"
    assert dict(call.headers)["anthropic-version"] == "2023-06-01"
    assert sent(stage)["max_tokens"] == 1000  # the model's own most
    assert stage.client.headers["x-softix-dropped"] == "no_output_limit"


async def test_translated_response_with_failed_status_is_sent_as_an_error_and_charged() -> None:
    """Responses tell it with a 200; clients of other dialects go by the status."""
    stage = Stage(providers=(replace(LAB, type=ProviderType.OPENAI),))
    failed = {
        "object": "response",
        "status": "failed",
        "error": {"code": "server_error", "message": "no"},
        "output": [],
        "usage": {"input_tokens": 7, "output_tokens": 5},
    }
    stage.upstream.answer = Exchange(json.dumps(failed).encode())
    await stage.serve(PLAIN, "messages")
    assert (stage.client.status, json.loads(stage.client.body)["type"]) == (502, "error")
    stage.settled_once()
    assert (stage.settlement.source, stage.settlement.meters) == (UsageSource.PROVIDER, METERS)


NOTHING = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
TEXT = " word" * 40
JUDGED = {"output_tokens": 50, "requests": 1}


@pytest.mark.parametrize("endpoint", ["chat_completions", "messages"])
@pytest.mark.parametrize("stream", [True, False])
async def test_response_with_zero_usage_beside_content_is_estimated(stage: Stage, endpoint: str, stream: bool) -> None:
    if stream:
        said = {"choices": [{"delta": {"content": TEXT}}]}
        told = (said, {"choices": [], "usage": NOTHING})
        stage.streams(*(b"data: " + json.dumps(each).encode() + b"\n\n" for each in told), DONE)
    else:
        full = FULL | {"usage": NOTHING, "choices": [{"index": 0, "message": {"role": "assistant", "content": TEXT}}]}
        stage.upstream.answer = Exchange(json.dumps(full).encode(), headers=[("content-type", "application/json")])
    body = json.dumps({**ASK, "stream": stream}).encode()
    await stage.serve(body, endpoint)
    found = stage.settlement
    assert (found.source, found.note) == (UsageSource.ESTIMATE, "implausible_usage")
    assert found.meters == {"input_tokens": -(-count_tokens(body.decode()) * 5 // 4), **JUDGED}
    assert 0 < found.charge_pico <= found.hold_pico

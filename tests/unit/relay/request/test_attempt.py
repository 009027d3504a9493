import json
from dataclasses import replace

import pytest
from support.playbook import (
    ANSWER,
    ASK,
    DONE,
    HELLO,
    JSON,
    KEY,
    LAB,
    MICRO,
    MODEL,
    PLAIN,
    SECRET,
    STOP,
    STREAM,
    USAGE,
    Exchange,
    Stage,
)

from softix_proxy.dialects.gemini.endpoint import GeminiEndpoint
from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.domain.access.keys import KeyLimits
from softix_proxy.domain.catalog.providers import ProviderType
from softix_proxy.domain.core.errors import Code
from softix_proxy.domain.metering.admission import Admitted, Allowance
from softix_proxy.domain.metering.text_tokens import count_tokens
from softix_proxy.domain.metering.usage import UsageSource
from softix_proxy.domain.ports.upstream import ProviderFault
from softix_proxy.relay.core.inbound import ClientGoneError


@pytest.fixture
def stage() -> Stage:
    return Stage()


def gemini(name: str) -> GeminiEndpoint:
    found = ENDPOINTS[name]
    assert isinstance(found, GeminiEndpoint)
    return found.of("llama", "")


# Whole answers


async def test_whole_response_is_settled_from_its_usage_before_it_is_sent(stage: Stage) -> None:
    stage.upstream.answer = Exchange(ANSWER, headers=[*JSON, ("x-request-id", "abc"), ("set-cookie", "a=b")])
    await stage.serve(PLAIN)
    stage.settled_once()
    assert stage.journal.story == ["read", "settled", "answer"]
    [call] = stage.upstream.calls
    assert (call.path, call.stream) == ("/v1/chat/completions", False)
    assert call.body == PLAIN[:-1] + b',"max_completion_tokens":50}', "nobody knows which name this server obeys"
    settlement = stage.settlement
    assert (settlement.source, settlement.status_code, settlement.error) == (UsageSource.PROVIDER, 200, None)
    assert settlement.meters == {"input_tokens": 7, "output_tokens": 5, "requests": 1}
    assert settlement.charge_pico == 17 * MICRO <= settlement.hold_pico
    assert (settlement.model_served, settlement.tokens_used) == ("llama-served", 12)
    assert settlement.latency_ms >= (settlement.ttfb_ms or 0) > 0
    client = stage.client
    assert (client.status, client.body) == (200, ANSWER)
    assert client.headers["x-softix-cost-usd"] == "0.000017" and client.headers["x-request-id"] == "abc"
    assert "set-cookie" not in client.headers and float(client.headers["x-softix-overhead-ms"]) > 0


async def test_request_body_sent_to_the_provider_has_its_model_name_and_the_affordable_limit(stage: Stage) -> None:
    stage = Stage(models=(replace(MODEL, upstream_name="meta/llama"),))
    stage.upstream.answer = Exchange(ANSWER)
    stage.journal.decisions = [Admitted(10**9, 33, 0, Allowance())]
    await stage.serve(b'{"model":"llama","messages":[]}')
    sent = json.loads(stage.upstream.calls[0].body)
    assert (sent["model"], sent["max_tokens"]) == ("meta/llama", 33)


async def test_request_path_to_gemini_contains_the_escaped_upstream_model_name() -> None:
    lab = replace(LAB, type=ProviderType.GEMINI)
    stage = Stage(providers=(lab,), models=(replace(MODEL, upstream_name="gemini 2/flash?"),))
    stage.upstream.answer = Exchange(b'{"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":2}}')
    await stage.serve(b'{"contents":[]}', endpoint=gemini("generate_content"))
    [call] = stage.upstream.calls
    assert call.path == "/v1beta/models/gemini%202/flash%3F:generateContent"
    assert stage.settlement.meters == {"input_tokens": 3, "output_tokens": 2, "requests": 1}


async def test_stream_of_json_array_is_passed_on_and_ends_after_its_settlement() -> None:
    stage = Stage(providers=(replace(LAB, type=ProviderType.GEMINI),))
    first = b'[{"candidates":[{"content":{"parts":[{"text":"a"}]}}]}'
    last = b',{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":2}}]'
    stage.upstream.answer = Exchange(first, last)
    await stage.serve(b'{"contents":[]}', endpoint=gemini("stream_generate_content"))
    stage.settled_once()
    assert stage.client.body == first + last and stage.settlement.intent.stream
    assert (stage.settlement.source, stage.settlement.meters["output_tokens"]) == (UsageSource.PROVIDER, 2)
    assert stage.journal.story[-3:] == ["settled", "send", "end"], "the last bytes wait for the settlement"


async def test_response_to_key_with_rate_limit_has_the_remaining_requests_header(stage: Stage) -> None:
    stage = Stage(keys=(replace(KEY, limits=KeyLimits(rpm=60)),))
    stage.upstream.answer = Exchange(ANSWER)
    stage.journal.decisions = [Admitted(10**9, None, 0, Allowance(59, 1_000_000))]
    await stage.serve(PLAIN)
    assert stage.client.headers["x-ratelimit-remaining-requests"] == "59"


async def test_whole_response_after_client_disconnect_is_charged(stage: Stage) -> None:
    stage.upstream.answer = Exchange(ANSWER)
    stage.client.gone_at = "answer"
    with pytest.raises(ClientGoneError):
        await stage.serve(PLAIN)
    stage.settled_once()
    assert stage.settlement.source is UsageSource.PROVIDER and stage.settlement.charge_pico == 17 * MICRO


async def test_unmetered_endpoint_costs_nothing(stage: Stage) -> None:
    stage = Stage(providers=(replace(LAB, type="demo"),))
    stage.upstream.answer = Exchange(b'{"input_tokens": 7}')
    await stage.serve(b'{"model":"llama","messages":[]}', endpoint="count_tokens")
    stage.settled_once()
    assert (stage.settlement.charge_pico, stage.settlement.hold_pico) == (0, 0)
    assert (stage.settlement.source, stage.settlement.meters) == (UsageSource.NONE, {})


async def test_charge_above_the_hold_is_limited_to_the_hold_if_nothing_else_is_available(stage: Stage) -> None:
    stage.upstream.answer = Exchange(ANSWER)
    stage.journal.decisions = [Admitted(5, None, 0, Allowance())]
    await stage.serve(PLAIN)
    assert stage.settlement.charge_pico == 5 and stage.settlement.note == "above_hold limited_to_balance"
    assert stage.settlement.cost_pico == 17 * MICRO


async def test_charge_above_the_hold_takes_what_the_balance_has_beside_it(stage: Stage) -> None:
    stage.upstream.answer = Exchange(ANSWER)
    stage.journal.decisions = [Admitted(5, None, 0, Allowance())]
    stage.journal.available_pico = 20 * MICRO
    await stage.serve(PLAIN)
    assert stage.settlement.charge_pico == 17 * MICRO and stage.settlement.note == "above_hold"
    assert stage.client.headers["x-softix-cost-usd"] == "0.000017"


# Streams


async def test_stream_with_usage_ends_only_after_its_settlement(stage: Stage) -> None:
    stage.streams(HELLO, STOP + USAGE, DONE)
    await stage.serve(STREAM)
    stage.settled_once()
    story = stage.journal.story
    assert story[:3] == ["read", "begin", "send"] and story[-3:] == ["settled", "send", "end"]
    assert stage.client.body == HELLO + STOP + USAGE + DONE
    assert stage.settlement.source is UsageSource.PROVIDER and stage.settlement.charge_pico == 17 * MICRO
    assert stage.settlement.intent.stream and stage.settlement.ttfb_ms is not None


async def test_stream_usage_event_not_requested_by_the_client_is_hidden(stage: Stage) -> None:
    stage.streams(HELLO + STOP, USAGE + DONE)
    await stage.serve(json.dumps({**ASK, "stream": True}).encode())
    assert json.loads(stage.upstream.calls[0].body)["stream_options"] == {"include_usage": True}
    assert stage.client.body == HELLO + STOP + DONE
    assert stage.settlement.charge_pico == 17 * MICRO


async def test_stream_without_usage_is_estimated(stage: Stage) -> None:
    stage.streams(HELLO, STOP, DONE)
    await stage.serve(STREAM)
    stage.settled_once()
    assert stage.settlement.source is UsageSource.ESTIMATE
    assert stage.settlement.meters["input_tokens"] == -(-count_tokens(STREAM.decode()) * 5 // 4)
    assert stage.settlement.meters["output_tokens"] > 0


async def test_stream_bytes_after_the_last_event_are_passed_on_without_charge(stage: Stage) -> None:
    stage.streams(HELLO, USAGE + DONE, b": bye\n\n")
    await stage.serve(STREAM)
    stage.settled_once()
    assert stage.client.body == HELLO + USAGE + DONE + b": bye\n\n"


@pytest.mark.parametrize("code", [Code.PROVIDER_BROKE_OFF, Code.PROVIDER_TIMEOUT])
async def test_stream_broken_off_by_the_provider_is_estimated_and_cut(stage: Stage, code: Code) -> None:
    stage.streams(HELLO, ProviderFault(code, started=True))
    await stage.serve(STREAM)
    stage.settled_once()
    assert stage.journal.story[-2:] == ["settled", "cut"]
    assert (stage.settlement.source, stage.settlement.error) == (UsageSource.ESTIMATE, code.value)
    assert stage.settlement.status_code == 200 and stage.settlement.charge_pico > 0


async def test_stream_broken_off_after_the_last_event_is_charged_by_its_usage(stage: Stage) -> None:
    stage.streams(HELLO, USAGE + DONE, ProviderFault(Code.PROVIDER_BROKE_OFF, started=True))
    await stage.serve(STREAM)
    stage.settled_once()
    assert (stage.settlement.source, stage.settlement.error) == (UsageSource.PROVIDER, None)
    assert stage.journal.story[-1] == "cut"


async def test_stream_broken_off_after_a_running_usage_report_is_charged_as_partial(stage: Stage) -> None:
    running = b'data: {"choices":[{"delta":{"content":"a"}}],"usage":{"prompt_tokens":7,"completion_tokens":900}}\n\n'
    stage.streams(running, ProviderFault(Code.PROVIDER_BROKE_OFF, started=True))
    await stage.serve(STREAM)
    assert stage.settlement.source is UsageSource.PARTIAL
    assert stage.settlement.meters == {"input_tokens": 7, "output_tokens": 900, "requests": 1}
    assert (
        stage.settlement.charge_pico == stage.settlement.hold_pico
        and stage.settlement.note == "above_hold limited_to_balance"
    )


# Refusals and errors of the provider


async def test_provider_error_is_passed_on_without_charge(stage: Stage) -> None:
    body = b'{"error":{"type":"rate_limit_error","message":"slow down"}}'
    stage.upstream.answer = Exchange(body, status=429, headers=[*JSON, ("retry-after", "3")])
    await stage.serve(PLAIN)
    stage.settled_once()
    assert (stage.client.status, stage.client.body, stage.client.headers["retry-after"]) == (429, body, "3")
    assert (stage.settlement.source, stage.settlement.charge_pico) == (UsageSource.NONE, 0)
    assert (stage.settlement.status_code, stage.settlement.error) == (429, "provider_rate_limited")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, b'{"error":{"message":"Incorrect API key provided: sk-c***"}}'),
        (400, b'{"error":"' + SECRET.encode() + b'","error":"comes twice"}'),
        (302, b"moved"),
        (600, b'{"error":{"message":"no such status"}}'),
        (999, b"{}"),
    ],
)
async def test_provider_error_about_the_operator_credentials_is_not_passed_on(
    stage: Stage, status: int, body: bytes
) -> None:
    stage.upstream.answer = Exchange(body, status=status)
    error = await stage.refused()
    stage.settled_once()
    assert error.code is Code.PROVIDER_REFUSED and "answer" not in stage.journal.story
    assert (stage.settlement.charge_pico, stage.settlement.status_code) == (0, status)


@pytest.mark.parametrize("started", [False, True])
@pytest.mark.parametrize("code", [Code.PROVIDER_UNREACHABLE, Code.PROVIDER_TIMEOUT, Code.PROVIDER_REFUSED])
async def test_request_without_provider_response_is_refused_without_charge(
    stage: Stage, code: Code, started: bool
) -> None:
    stage.upstream.answer = ProviderFault(code, started=started)
    error = await stage.refused()
    stage.settled_once()
    assert error.code is code
    assert stage.settlement.source is (UsageSource.INTERRUPTED if started else UsageSource.NONE)
    assert (stage.settlement.charge_pico, stage.settlement.error) == (0, code.value)


@pytest.mark.parametrize(("code", "status"), [(Code.PROVIDER_BUSY, 429), (Code.OUT_OF_FILES, 503)])
async def test_request_without_free_connection_or_file_is_refused_without_blaming_the_target(
    stage: Stage, code: Code, status: int
) -> None:
    stage.upstream.answer = ProviderFault(code, started=False)
    error = await stage.refused()
    stage.settled_once()
    assert (error.code, error.retry_after_s) == (code, 1)
    assert (stage.settlement.status_code, stage.settlement.charge_pico) == (status, 0)
    assert [(each.failures, each.breaker.failures, each.last_error) for each in stage.target_pool.stats()] == [
        (0, 0, None)
    ]


async def test_timed_out_request_with_interrupted_charge_bound_is_charged_its_hold(stage: Stage) -> None:
    stage.policy = replace(stage.policy, interrupted_charge="bound")
    stage.upstream.answer = ProviderFault(Code.PROVIDER_TIMEOUT, started=True)
    await stage.refused()
    assert stage.settlement.charge_pico == stage.settlement.hold_pico > 0


async def test_whole_response_broken_off_is_recorded_as_interrupted(stage: Stage) -> None:
    stage.upstream.answer = Exchange(b'{"us', ProviderFault(Code.PROVIDER_BROKE_OFF, started=True))
    error = await stage.refused()
    stage.settled_once()
    assert error.code is Code.PROVIDER_BROKE_OFF and stage.settlement.source is UsageSource.INTERRUPTED


# Errors with a good status

ERROR = b'{"error":{"message":"no","code":503}}'
NOTHING_ANSWERED = {"a page": b"<html>wait</html>", "nothing": b"", "choices that are null": b'{"choices":null}'}


async def test_provider_error_with_status_200_is_passed_on_with_its_proper_status(stage: Stage) -> None:
    stage.upstream.answer = Exchange(ERROR)
    await stage.serve(PLAIN)
    stage.settled_once()
    assert (stage.client.status, stage.client.body) == (503, ERROR)
    settlement = stage.settlement
    assert (settlement.source, settlement.charge_pico, settlement.meters) == (UsageSource.NONE, 0, {})
    assert (settlement.status_code, settlement.error) == (503, "provider_overloaded")


@pytest.mark.parametrize("what", NOTHING_ANSWERED)
async def test_provider_response_without_content_is_refused_without_charge(stage: Stage, what: str) -> None:
    stage.upstream.answer = Exchange(NOTHING_ANSWERED[what])
    assert (await stage.refused()).code is Code.PROVIDER_BROKE_OFF
    stage.settled_once()
    assert (stage.settlement.source, stage.settlement.charge_pico) == (UsageSource.NONE, 0)
    assert (stage.settlement.status_code, stage.settlement.error) == (502, "provider_no_answer")


async def test_provider_error_with_status_200_and_credentials_is_not_passed_on(stage: Stage) -> None:
    stage.upstream.answer = Exchange(b'{"error":{"code":401}}')
    assert (await stage.refused()).code is Code.PROVIDER_REFUSED
    stage.settled_once()


async def test_response_with_partial_content_and_usage_is_charged_and_passed_on(stage: Stage) -> None:
    choice = {"finish_reason": "error", "error": {"code": 502}, "message": {"content": "half"}}
    body = json.dumps({"choices": [choice], "usage": {"prompt_tokens": 7, "completion_tokens": 5}}).encode()
    stage.upstream.answer = Exchange(body)
    await stage.serve(PLAIN)
    stage.settled_once()
    assert (stage.client.status, stage.client.body) == (200, body)
    assert (stage.settlement.source, stage.settlement.charge_pico) == (UsageSource.PROVIDER, 17 * MICRO)
    assert stage.settlement.error == "provider_fault"


@pytest.mark.parametrize(
    ("events", "body"),
    [
        ((b'data: {"error":{"code":502}}\n\n',), b'data: {"error":{"code":502}}\n\n'),
        ((b'{"error":{"code":502}}',), b'data: {"error":{"code":502}}\n\n'),
        ((b": wait\n\n", b'{"error":\n{"code":502}}'), b': wait\n\ndata: {"error":{"code":502}}\n\n'),
    ],
)
async def test_stream_with_only_an_error_is_passed_on_without_charge(
    stage: Stage, events: tuple[bytes, ...], body: bytes
) -> None:
    stage.streams(*events)
    await stage.serve(STREAM)
    stage.settled_once()
    assert (stage.client.status, stage.client.body, stage.journal.story[-1]) == (200, body, "end")
    assert (stage.settlement.source, stage.settlement.charge_pico) == (UsageSource.NONE, 0)
    assert (stage.settlement.status_code, stage.settlement.error) == (200, "provider_fault")


@pytest.mark.parametrize("events", [(), (b": wait\n\n",)])
async def test_stream_without_events_is_cut_without_charge(stage: Stage, events: tuple[bytes, ...]) -> None:
    stage.streams(*events)
    await stage.serve(STREAM)
    stage.settled_once()
    assert stage.journal.story[-1] == "cut"
    assert (stage.settlement.charge_pico, stage.settlement.error) == (0, "provider_no_answer")


async def test_stream_with_whole_response_in_place_of_events_is_metered(stage: Stage) -> None:
    stage.streams(ANSWER)
    await stage.serve(STREAM)
    stage.settled_once()
    assert stage.client.body == ANSWER and stage.settlement.charge_pico == 17 * MICRO


async def test_stream_with_error_after_content_is_charged_for_the_content(stage: Stage) -> None:
    stage.streams(HELLO, b'data: {"error":{"code":502}}\n\n')
    await stage.serve(STREAM)
    stage.settled_once()
    assert (stage.settlement.source, stage.settlement.error) == (UsageSource.ESTIMATE, "provider_fault")
    assert stage.settlement.meters["output_tokens"] == 5 and stage.settlement.charge_pico > 0


@pytest.mark.parametrize(
    ("endpoint", "body", "status"),
    [("stream_generate_content", b'{"error":{"code":503,"status":"UNAVAILABLE"}}', 503), ("speech", ERROR, 503)],
)
async def test_json_array_or_audio_stream_replaced_by_an_error_returns_it_without_charge(
    endpoint: str, body: bytes, status: int
) -> None:
    spoken = endpoint == "speech"
    stage = Stage(providers=(LAB if spoken else replace(LAB, type=ProviderType.GEMINI),))
    stage.upstream.answer = Exchange(body[:9], body[9:])
    asked = b'{"model":"llama","input":"hello","voice":"v"}' if spoken else b'{"contents":[]}'
    await stage.serve(asked, endpoint=endpoint if spoken else gemini(endpoint))
    stage.settled_once()
    assert (stage.client.status, stage.client.body) == (status, body)
    assert (stage.settlement.charge_pico, stage.settlement.error) == (0, "provider_overloaded")


async def test_audio_stream_that_looks_like_an_error_is_passed_on() -> None:
    stage = Stage()
    stage.upstream.answer = Exchange(b'{"err', b"or", headers=[("content-type", "audio/pcm")])
    await stage.serve(b'{"model":"llama","input":"hello","voice":"v"}', endpoint="speech")
    stage.settled_once()
    assert stage.client.body == b'{"error' and stage.settlement.error is None

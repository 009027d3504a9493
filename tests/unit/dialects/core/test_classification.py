"""What is an answer and what an error, by the status, the head and the body alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from softix_proxy.dialects.core.classification import ClientError, as_event, classify, classify_stream
from softix_proxy.dialects.core.errors import ProviderError
from softix_proxy.dialects.registry import ENDPOINTS

CHAT, RESPONSES, MESSAGES = ENDPOINTS["chat_completions"], ENDPOINTS["responses"], ENDPOINTS["messages"]
GEMINI, IMAGES, COUNT = ENDPOINTS["generate_content"], ENDPOINTS["image_generations"], ENDPOINTS["count_tokens"]
USAGE = {"prompt_tokens": 7, "completion_tokens": 5}
NOTHING = {"prompt_tokens": 0, "completion_tokens": 0}
FAILED = {"object": "response", "status": "failed", "output": []}


def coded(body: Any) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body).encode()


ERRORS: dict[str, tuple[Any, Any, ProviderError, int]] = {
    "OpenAI's": (CHAT, {"error": {"message": "no", "type": "server_error"}}, ProviderError.FAULT, 500),
    "a number 429": (CHAT, {"error": {"message": "no", "code": 429}}, ProviderError.RATE_LIMITED, 429),
    "a number 502": (CHAT, {"error": {"message": "no", "code": 502}}, ProviderError.FAULT, 502),
    "a number 503": (CHAT, {"error": {"message": "no", "code": "503"}}, ProviderError.OVERLOADED, 503),
    "a number 401": (CHAT, {"error": {"message": "no", "code": 401}}, ProviderError.CREDENTIALS, 401),
    "a number 422": (CHAT, {"error": {"message": "no", "code": 422}}, ProviderError.INVALID, 422),
    "a number beside a vague word": (
        CHAT,
        {"error": {"type": "invalid_request_error", "code": 503}},
        ProviderError.OVERLOADED,
        503,
    ),
    "a text": (CHAT, {"error": "it does not work"}, ProviderError.UNKNOWN, 502),
    "a text in broken UTF-8": (CHAT, b'{"error":"\xc3\xd2"}', ProviderError.UNKNOWN, 502),
    "an object in broken UTF-8": (CHAT, b'{"error":{"message":"\xc3\xd2"}}', ProviderError.UNKNOWN, 502),
    "no known word": (CHAT, {"error": {"message": "no", "code": "wombat"}}, ProviderError.UNKNOWN, 502),
    "the request's fault": (CHAT, {"error": {"type": "invalid_request_error"}}, ProviderError.INVALID, 400),
    "with counts of nothing": (CHAT, {"error": {"code": 500}, "usage": NOTHING}, ProviderError.FAULT, 500),
    "Anthropic's": (
        MESSAGES,
        {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}},
        ProviderError.OVERLOADED,
        529,
    ),
    "Anthropic's, without words": (MESSAGES, {"type": "error"}, ProviderError.UNKNOWN, 502),
    "Google's": (GEMINI, {"error": {"code": 503, "status": "UNAVAILABLE"}}, ProviderError.OVERLOADED, 503),
    "Google's in a list": (
        GEMINI,
        [{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}}],
        ProviderError.RATE_LIMITED,
        429,
    ),
    "a failed response": (
        RESPONSES,
        {**FAILED, "error": {"code": "server_error", "message": "no"}, "usage": None},
        ProviderError.FAULT,
        500,
    ),
    "a failed response without a reason": (RESPONSES, {**FAILED, "error": None}, ProviderError.FAULT, 500),
    "in the choice": (
        CHAT,
        {"choices": [{"finish_reason": "error", "error": {"code": 502, "message": "no"}}]},
        ProviderError.FAULT,
        502,
    ),
    "only a reason to stop": (CHAT, {"choices": [{"finish_reason": "error"}]}, ProviderError.UNKNOWN, 502),
    "choices that are null": (CHAT, {"id": "x", "choices": None}, ProviderError.NO_ANSWER, 502),
    "no choices": (CHAT, {"id": "x", "choices": []}, ProviderError.NO_ANSWER, 502),
    "no images": (IMAGES, {"created": 1, "data": []}, ProviderError.NO_ANSWER, 502),
    "no candidates": (GEMINI, {"candidates": []}, ProviderError.NO_ANSWER, 502),
    "a page": (CHAT, b"\n<!doctype html><html>wait</html>", ProviderError.NO_ANSWER, 502),
    "a text without JSON": (CHAT, b"upstream connect error", ProviderError.NO_ANSWER, 502),
    "nothing": (CHAT, b"", ProviderError.NO_ANSWER, 502),
    "blanks": (CHAT, b" " * 100 + b"\n", ProviderError.NO_ANSWER, 502),
    "a framework's": (CHAT, {"detail": "Not Found"}, ProviderError.UNKNOWN, 502),
    "a gateway's": (CHAT, {"message": "Too many", "status": 429}, ProviderError.RATE_LIMITED, 429),
    "another gateway's": (
        CHAT,
        {"success": False, "code": 1001, "msg": "no", "data": None},
        ProviderError.UNKNOWN,
        502,
    ),
    "of a count": (COUNT, {"type": "error", "error": {"type": "api_error"}}, ProviderError.FAULT, 500),
}


@pytest.mark.parametrize("what", ERRORS)
def test_error_body_with_a_good_status_is_an_error_without_work(what: str) -> None:
    endpoint, body, error, status = ERRORS[what]
    found = classify(200, (), coded(body), endpoint)
    assert (found.error, found.status, found.worked, found.report) == (error.value, status, False, None)


ANSWERS: dict[str, tuple[Any, Any]] = {
    "usage": (CHAT, {"choices": [{"message": {"content": "hi"}}], "usage": USAGE}),
    "no usage": (CHAT, {"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]}),
    "no choices, and usage": (CHAT, {"choices": [], "usage": USAGE}),
    "choices that are null, and usage": (CHAT, {"choices": None, "usage": USAGE}),
    "nothing that is known": (CHAT, {"model": "llama"}),
    "an empty object": (CHAT, b"{}"),
    "an error that says nothing": (CHAT, {"choices": [{"text": "a"}], "error": {"code": None, "message": ""}}),
    "an error that is null": (RESPONSES, {"object": "response", "status": "completed", "error": None}),
    "the word in its text": (CHAT, {"choices": [{"message": {"content": '{"error": "failed"}'}}], "usage": USAGE}),
    "a blocked prompt": (GEMINI, {"candidates": [], "promptFeedback": {"blockReason": "SAFETY"}}),
    "a list": (ENDPOINTS["rerank"], [{"index": 0, "score": 1}]),
    "what JSON has no number for": (CHAT, b'{"choices":[{"logprobs":NaN}]}'),
    "events of another type": (CHAT, b'data: {"choices":[]}\n\n'),
    "a message that is more": (CHAT, {"message": "hi", "choices": [{"text": "a"}]}),
    "a count": (COUNT, {"input_tokens": 7}),
    "vectors": (ENDPOINTS["embeddings"], {"data": [{"embedding": [0.5] * 50_000}], "usage": {"prompt_tokens": 7}}),
}


@pytest.mark.parametrize("what", ANSWERS)
def test_answer_body_with_a_good_status_is_an_answer(what: str) -> None:
    endpoint, body = ANSWERS[what]
    found = classify(200, (), coded(body), endpoint)
    assert (found.error, found.status, found.worked) == (None, 200, True)
    assert found.report == endpoint.report(coded(body))


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({**FAILED, "error": {"code": "server_error"}, "usage": {"input_tokens": 7, "output_tokens": 5}}, 200),
        ({"error": {"code": 502}, "usage": USAGE}, 502),
        ({"choices": [{"error": {"code": 502}, "finish_reason": "error"}], "usage": USAGE}, 502),
        (
            {
                "choices": [{"error": {"code": 502}, "finish_reason": "error", "message": {"content": "half"}}],
                "usage": USAGE,
            },
            200,
        ),
    ],
)
def test_error_body_with_usage_is_an_error_with_work(body: dict[str, Any], told: int) -> None:
    endpoint = RESPONSES if "object" in body else CHAT
    found = classify(200, (), coded(body), endpoint)
    assert found.error == ProviderError.FAULT.value and found.worked and found.report is not None
    assert found.report.meters == {"input_tokens": 7, "output_tokens": 5}
    assert found.told is not None and found.told.status == told


def test_error_at_the_end_of_a_large_answer_is_found() -> None:
    choice = {"message": {"content": "x" * 200_000}, "finish_reason": "error", "error": {"code": 502}}
    body = coded({"error": None, "choices": [choice], "usage": USAGE})
    found = classify(200, (), body, CHAT)
    assert (found.error, found.worked, found.told) == ("provider_fault", True, ClientError(200, body))


def test_half_answer_without_usage_counts_as_work_and_reaches_the_client() -> None:
    body = coded({"choices": [{"finish_reason": "error", "error": {"code": 502}, "message": {"content": "half"}}]})
    found = classify(200, (), body, CHAT)
    assert (found.error, found.worked, found.report) == ("provider_fault", True, None)
    assert found.told == ClientError(200, body)


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("OpenAI's", (500, b'{"error": {"message": "no", "type": "server_error"}}')),
        ("a number 429", (429, b'{"error": {"message": "no", "code": 429}}')),
        ("in the choice", (502, b'{"error":{"code": 502, "message": "no"}}')),
        ("a framework's", (502, b'{"detail": "Not Found"}')),
        ("Anthropic's", (529, b'{"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}')),
        ("a number 401", None),
        ("a page", None),
        ("nothing", None),
        ("choices that are null", None),
        ("only a reason to stop", None),
    ],
)
def test_error_body_with_a_good_status_is_shown_to_the_client_or_hidden(
    what: str, told: tuple[int, bytes] | None
) -> None:
    endpoint, body, *_ = ERRORS[what]
    assert classify(200, (), coded(body), endpoint).told == told


def test_failed_response_with_a_good_status_reaches_the_client_unchanged() -> None:
    endpoint, body, *_ = ERRORS["a failed response"]
    assert classify(200, (), coded(body), endpoint).told == ClientError(200, coded(body))


@pytest.mark.parametrize(
    ("status", "told", "error"),
    [(302, False, "provider_error"), (401, False, "provider_credentials"), (404, True, "provider_not_found")],
)
def test_bad_status_with_usage_in_the_body_is_an_error_without_work(status: int, told: bool, error: str) -> None:
    found = classify(status, (), b'{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":5}}', CHAT)
    assert (found.error, found.status, found.worked, found.report) == (error, status, False, None)
    assert (found.told is not None) == told


def test_aws_error_type_in_the_headers_decides_the_error() -> None:
    found = classify(400, (("x-amzn-errortype", "ThrottlingException:http://x"),), b"{}", CHAT)
    assert found.error == ProviderError.RATE_LIMITED.value


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'{"id":"batch_1","object":"batch","status":"failed","errors":{"data":[]}}', None),
        (b'{"object":"list","data":[]}', None),
        (b'{"error":{"message":"no","code":503}}', "provider_overloaded"),
        (b"<html>", "provider_no_answer"),
        (b"", "provider_no_answer"),
    ],
)
def test_body_without_an_endpoint_is_an_error_only_with_error_content(body: bytes, error: str | None) -> None:
    assert classify(200, (), body).error == error


def test_empty_body_without_an_endpoint_is_accepted_with_status_204() -> None:
    assert classify(204, (), b"").error is None
    assert classify(204, (), b"", CHAT).error == ProviderError.NO_ANSWER.value


HELLO = b'data: {"choices":[{"delta":{"content":"hello there, you"}}]}\n\n'
ROLE = b'data: {"choices":[{"delta":{"role":"assistant"}}]}\n\n'
ERROR = b'data: {"error":{"message":"no","code":429}}\n\n'


@pytest.mark.parametrize(
    ("events", "error", "worked"),
    [
        (HELLO + b"data: [DONE]\n\n", None, True),
        (ERROR, "provider_rate_limited", False),
        (ROLE + ERROR, "provider_rate_limited", False),
        (HELLO + ERROR, "provider_rate_limited", True),
        (b'data: {"choices":[],"usage":{"prompt_tokens":7}}\n\n' + ERROR, "provider_rate_limited", True),
        (b'data: {"choices":[],"usage":{"prompt_tokens":0}}\n\n' + ERROR, "provider_rate_limited", False),
    ],
)
def test_stream_with_or_without_an_error_is_classified_by_the_events_before_it(
    events: bytes, error: str | None, worked: bool
) -> None:
    meter = CHAT.stream(hide_usage=False)
    meter.feed(events)
    found = classify_stream(meter)
    assert (found.error, found.worked, found.report) == (error, worked, meter.report)
    assert found.status == (200 if error is None else 429)


def test_error_body_as_event_becomes_one_server_sent_event() -> None:
    assert as_event(b'{"error":\n {"code": 5}}') == b'data: {"error":{"code":5}}\n\n'
    assert as_event(b'{"type":"error"}') == b'event: error\ndata: {"type":"error"}\n\n'
    assert as_event(b'[{"error":{"code":5}}]') == b'data: [{"error":{"code":5}}]\n\n'

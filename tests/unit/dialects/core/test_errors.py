from __future__ import annotations

import json
from typing import Any

import anthropic
import openai
import pytest
from google import genai
from google.genai.errors import APIError, ClientError, ServerError

from softix_proxy.dialects.core.errors import _TYPES, ProviderError, classify_event, name_error, render, render_stream
from softix_proxy.domain.core.errors import HTTP_STATUS, Code

BY_STATUS: dict[int, tuple[type[Exception], type[Exception]]] = {
    400: (openai.BadRequestError, anthropic.BadRequestError),
    401: (openai.AuthenticationError, anthropic.AuthenticationError),
    403: (openai.PermissionDeniedError, anthropic.PermissionDeniedError),
    404: (openai.NotFoundError, anthropic.NotFoundError),
    429: (openai.RateLimitError, anthropic.RateLimitError),
    500: (openai.InternalServerError, anthropic.InternalServerError),
    502: (openai.InternalServerError, anthropic.InternalServerError),
    503: (openai.InternalServerError, anthropic.InternalServerError),
    504: (openai.InternalServerError, anthropic.InternalServerError),
}
DETAILS = {"needed": "1.00", "max_tokens": 5, "message": "never", "type": "never", "code": "never"}


def gpt(origin: str) -> openai.OpenAI:
    return openai.OpenAI(api_key="k", base_url=f"{origin}/v1", max_retries=0)


def claude(origin: str) -> anthropic.Anthropic:
    return anthropic.Anthropic(api_key="k", base_url=origin, max_retries=0)


def gemini(origin: str) -> genai.Client:
    return genai.Client(api_key="k", http_options={"base_url": origin, "retry_options": {"attempts": 1}})


def test_error_types_for_all_codes_are_present() -> None:
    assert set(_TYPES) == set(Code)


@pytest.mark.parametrize("code", Code)
def test_openai_sdk_with_each_error_code_raises_its_class(serve: Any, code: Code) -> None:
    status = HTTP_STATUS[code]
    body = render("openai", code, "Some message.", "req_1", DETAILS)
    with (
        gpt(serve(lambda _: (status, "application/json", body))) as client,
        pytest.raises(openai.APIStatusError) as raised,
    ):
        client.chat.completions.create(model="m", messages=[{"role": "user", "content": "a"}])
    error = raised.value
    assert isinstance(error, BY_STATUS.get(status, (openai.APIStatusError,))[0])
    assert error.status_code == status and error.code == code.value and error.type == _TYPES[code].openai
    assert "Some message." in error.message
    sent: Any = error.body
    assert (sent["needed"], sent["max_tokens"], sent["request_id"]) == ("1.00", 5, "req_1")


@pytest.mark.parametrize("code", Code)
def test_anthropic_sdk_with_each_error_code_raises_its_class(serve: Any, code: Code) -> None:
    status = HTTP_STATUS[code]
    body = render("anthropic", code, "Some message.", "req_1", DETAILS)
    with (
        claude(serve(lambda _: (status, "application/json", body))) as client,
        pytest.raises(anthropic.APIStatusError) as raised,
    ):
        client.messages.create(model="m", max_tokens=5, messages=[{"role": "user", "content": "a"}])
    error = raised.value
    assert isinstance(error, BY_STATUS.get(status, (None, anthropic.APIStatusError))[1])
    sent: Any = error.body
    assert error.status_code == status and sent["type"] == "error" and sent["request_id"] == "req_1"
    assert (sent["error"]["type"], sent["error"]["code"]) == (_TYPES[code].anthropic, code.value)
    assert (sent["error"]["message"], sent["error"]["needed"]) == ("Some message.", "1.00")


@pytest.mark.parametrize("code", Code)
def test_google_sdk_with_each_error_code_raises_its_class(serve: Any, code: Code) -> None:
    status = HTTP_STATUS[code]
    body = render("gemini", code, "Some message.", "req_1", DETAILS)
    with (
        gemini(serve(lambda _: (status, "application/json", body))) as client,
        pytest.raises(ServerError if status >= 500 else ClientError) as raised,
    ):
        client.models.generate_content(model="m", contents="a")
    error = raised.value
    assert (error.code, error.status, error.message) == (status, _TYPES[code].gemini, "Some message.")
    [info] = error.details["error"]["details"]
    assert (info["reason"], info["metadata"]["needed"]) == (code.value.upper(), "1.00")
    assert (info["metadata"]["request_id"], info["metadata"]["max_tokens"]) == ("req_1", "5")


def test_google_sdk_with_an_error_within_a_stream_raises_it(serve: Any) -> None:
    body = b'data: {"candidates":[]}\n\n' + render_stream("gemini", Code.PROVIDER_BROKE_OFF, "It broke off.", "r", {})
    with (
        gemini(serve(lambda _: (200, "text/event-stream", body))) as client,
        pytest.raises(APIError, match="It broke off"),
    ):
        list(client.models.generate_content_stream(model="m", contents="a"))


def test_openai_sdk_with_an_error_within_a_stream_raises_it(serve: Any) -> None:
    body = render_stream("openai", Code.PROVIDER_BROKE_OFF, "It broke off.", "req_1", {})
    with gpt(serve(lambda _: (200, "text/event-stream", b'data: {"choices":[]}\n\n' + body))) as client:
        stream = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "a"}], stream=True)
        with pytest.raises(openai.APIError, match="It broke off") as raised:
            list(stream)
        assert raised.value.code == "provider_broke_off"
        with pytest.raises(openai.APIError, match="It broke off"):
            list(client.responses.create(model="m", input="a", stream=True))


def test_anthropic_sdk_with_an_error_within_a_stream_raises_it(serve: Any) -> None:
    body = render_stream("anthropic", Code.PROVIDER_BROKE_OFF, "It broke off.", "req_1", {})
    with claude(
        serve(lambda _: (200, "text/event-stream", b'event: ping\ndata: {"type":"ping"}\n\n' + body))
    ) as client:
        question: Any = [{"role": "user", "content": "a"}]
        stream = client.messages.create(model="m", max_tokens=5, messages=question, stream=True)
        with pytest.raises(anthropic.APIStatusError, match="It broke off") as raised:
            list(stream)
        sent: Any = raised.value.body
        assert sent["error"]["code"] == "provider_broke_off"


@pytest.mark.parametrize(
    ("status", "error", "expected"),
    [
        (400, {"code": "context_length_exceeded", "type": "invalid_request_error"}, ProviderError.CONTEXT),
        (401, {"code": "invalid_api_key", "type": "invalid_request_error"}, ProviderError.CREDENTIALS),
        (401, {"type": "invalid_request_error"}, ProviderError.CREDENTIALS),
        (404, {"code": "model_not_found", "type": "invalid_request_error"}, ProviderError.NOT_FOUND),
        (429, {"code": "insufficient_quota", "type": "insufficient_quota"}, ProviderError.QUOTA),
        (429, {"code": "rate_limit_exceeded", "type": "tokens"}, ProviderError.RATE_LIMITED),
        (429, {"code": None, "type": "wombat"}, ProviderError.RATE_LIMITED),
        (500, {"type": "server_error"}, ProviderError.FAULT),
        (400, {"code": "content_filter", "innererror": {}}, ProviderError.FILTERED),
        (400, {"type": "invalid_request_error"}, ProviderError.INVALID),
        (401, {"type": "authentication_error"}, ProviderError.CREDENTIALS),
        (403, {"type": "permission_error"}, ProviderError.FORBIDDEN),
        (413, {"type": "request_too_large"}, ProviderError.TOO_LARGE),
        (529, {"type": "overloaded_error"}, ProviderError.OVERLOADED),
        (504, {"type": "timeout_error"}, ProviderError.TIMEOUT),
        (418, {"type": "invalid_request_error"}, ProviderError.INVALID),
        (402, None, ProviderError.QUOTA),
        (503, "wombat", ProviderError.OVERLOADED),
        (599, {"code": ["wombat"], "type": 5}, ProviderError.FAULT),
        (418, {"code": "wombat"}, ProviderError.UNKNOWN),
    ],
)
def test_provider_error_body_with_a_status_becomes_one_of_our_codes(
    status: int, error: Any, expected: ProviderError
) -> None:
    assert name_error(status, json.dumps({"error": error}).encode()) == expected.value


@pytest.mark.parametrize("body", [b"", b"<html>wombat</html>", b"[]", b"\xff", b"[" * 200_000])
def test_error_body_without_an_error_object_is_named_by_its_status(body: bytes) -> None:
    assert name_error(502, body) == ProviderError.FAULT.value and name_error(418, body) == ProviderError.UNKNOWN.value


def test_error_event_without_a_status_is_named_by_its_words() -> None:
    assert classify_event({"type": "overloaded_error"}) == ProviderError.OVERLOADED.value
    assert classify_event({"code": "wombat"}) == classify_event("wombat") == ProviderError.UNKNOWN.value

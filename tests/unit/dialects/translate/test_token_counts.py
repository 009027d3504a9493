from __future__ import annotations

import json
from typing import Any

import pytest

from softix_proxy.dialects.core.spoken import COUNTS
from softix_proxy.dialects.translate import Count, WriteOptions, translation
from softix_proxy.domain.core.errors import Code, RefusedError

SCHEMA = {"type": "object", "properties": {}}
ASKED: dict[str, Any] = {
    "count_tokens": {
        "model": "m",
        "system": "Be kind.",
        "messages": [{"role": "user", "content": "Hello"}],
        "tools": [{"name": "f", "input_schema": SCHEMA}],
    },
    "input_tokens": {
        "model": "m",
        "instructions": "Be kind.",
        "input": [{"role": "user", "content": "Hello"}],
        "tools": [{"type": "function", "name": "f", "parameters": SCHEMA}],
    },
    "gemini_count_tokens": {
        "generateContentRequest": {
            "model": "models/m",
            "systemInstruction": {"parts": [{"text": "Be kind."}]},
            "contents": [{"role": "user", "parts": [{"text": "Hello"}]}],
            "tools": [{"functionDeclarations": [{"name": "f"}]}],
        }
    },
}
ANSWERS: dict[str, Any] = {
    "count_tokens": {"input_tokens": 7},
    "input_tokens": {"object": "response.input_tokens", "input_tokens": 7},
    "gemini_count_tokens": {"totalTokens": 7},
}
PAIRS = [(client, provider) for client in COUNTS for provider in COUNTS if client != provider]


def between(client: str, provider: str) -> Count:
    found = translation(client, provider, id="0a1b", now_s=1000)
    assert isinstance(found, Count)
    return found


@pytest.mark.parametrize(("client", "provider"), PAIRS)
def test_token_count_request_and_answer_between_each_pair_are_translated(client: str, provider: str) -> None:
    found = between(client, provider)
    made = found.request(json.dumps(ASKED[client]).encode(), WriteOptions(model="there", most_output_tokens=9))
    body, text = json.loads(made.body), made.body.decode()
    assert all(word in text for word in ("Be kind.", "Hello", '"f"', "there")) and made.dropped == ()
    allowed = {"tool_choice", "parallel_tool_calls"} | ASKED[provider].keys()
    assert body.keys() <= allowed, "what does not count is not taken there"
    assert json.loads(found.answer(json.dumps(ANSWERS[provider]).encode())) == ANSWERS[client]


def test_token_count_request_for_vertex_is_not_wrapped() -> None:
    setting = WriteOptions(model="gemini-x", wraps_counts=False)
    made = between("count_tokens", "gemini_count_tokens").request(json.dumps(ASKED["count_tokens"]).encode(), setting)
    assert json.loads(made.body)["contents"] == [{"role": "user", "parts": [{"text": "Hello"}]}]


def test_token_count_request_of_the_google_sdk_with_contents_alone_is_translated() -> None:
    asked = {"contents": [{"parts": [{"text": "Hello"}]}]}
    made = between("gemini_count_tokens", "count_tokens").request(
        json.dumps(asked).encode(), WriteOptions(model="claude")
    )
    body = json.loads(made.body)
    assert body["model"] == "claude" and "Hello" in made.body.decode() and "max_tokens" not in body


@pytest.mark.parametrize("answer", [b"{}", b"[]", b"no", b'{"input_tokens": "7"}', b'{"input_tokens": true}'])
def test_token_count_answer_without_a_count_is_refused(answer: bytes) -> None:
    with pytest.raises(RefusedError) as refused:
        between("gemini_count_tokens", "count_tokens").answer(answer)
    assert refused.value.code is Code.PROVIDER_BROKE_OFF


def test_token_count_error_is_written_in_the_dialect_of_the_client() -> None:
    error = {"error": {"code": 400, "message": "no", "status": "INVALID_ARGUMENT"}}
    told = json.loads(between("count_tokens", "gemini_count_tokens").error(400, json.dumps(error).encode()))
    assert told["type"] == "error" and told["error"]["type"] == "invalid_request_error"


def test_token_count_request_with_a_field_that_cannot_be_lost_is_refused() -> None:
    asked = {**ASKED["input_tokens"], "previous_response_id": "resp_1"}
    with pytest.raises(RefusedError):
        between("input_tokens", "count_tokens").request(json.dumps(asked).encode(), WriteOptions(model="m"))


@pytest.mark.parametrize("name", COUNTS)
def test_token_count_between_the_same_dialect_needs_no_translation(name: str) -> None:
    assert translation(name, name, id="0a1b", now_s=1000) is None
    assert translation(name, "chat_completions", id="0a1b", now_s=1000) is None


def test_token_count_stream_returns_nothing() -> None:
    stream = between("count_tokens", "input_tokens").stream()
    assert stream.feed(b"data: {}\n\n") + stream.end() == b""

"""What is read of a request is in tests/golden; here is what is changed, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from softix_proxy.dialects.gemini.endpoint import GeminiEndpoint
from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.domain.core.errors import Code, RefusedError

SAY = [{"parts": [{"text": "hello"}]}]


def endpoint(name: str, model: str = "g", query: str = "") -> GeminiEndpoint:
    found = ENDPOINTS[name]
    assert isinstance(found, GeminiEndpoint)
    return found.of(model, query)


def changed(name: str, body: dict[str, Any], model: str | None = None, limit: int | None = None) -> Any:
    before = json.dumps(body).encode()
    return json.loads(
        endpoint(name).rewrite(before, model=model, max_output_tokens=limit, ask_usage=True, output_fields=("x",))
    )


def refusal(name: str, body: Any, model: str = "g") -> RefusedError:
    with pytest.raises(RefusedError) as raised:
        endpoint(name, model).read(json.dumps(body).encode())
    return raised.value


def test_request_with_a_model_in_the_path_has_that_model() -> None:
    body = json.dumps({"contents": SAY}).encode()
    assert endpoint("generate_content", "models/gemini-x").read(body).model == "gemini-x"
    assert endpoint("stream_generate_content", "gemini-x").read(body).stream is True
    assert ENDPOINTS["generate_content"].read(body).model == ""


@pytest.mark.parametrize("query", ["", "alt=sse", "alt=json", "alt=sse&prettyPrint=false"])
def test_query_without_effect_on_the_usage_is_accepted(query: str) -> None:
    assert endpoint("generate_content", query=query).model == "g"


@pytest.mark.parametrize("query", ["fields=candidates", "$fields=a", "alt=proto", "%66ields=a", "access_token=a"])
def test_query_that_could_hide_the_usage_is_refused(query: str) -> None:
    with pytest.raises(RefusedError):
        endpoint("generate_content", query=query)


def test_rewrite_with_an_output_limit_sets_it_in_the_generation_config() -> None:
    assert changed("generate_content", {"contents": SAY}, limit=5)["generationConfig"] == {"maxOutputTokens": 5}
    given = {"contents": SAY, "generation_config": {"max_output_tokens": 9, "temperature": 0.5}}
    assert changed("generate_content", given, limit=5)["generation_config"] == {
        "max_output_tokens": 5,
        "temperature": 0.5,
    }
    empty = {"contents": SAY, "generationConfig": None}
    assert changed("generate_content", empty, limit=5)["generationConfig"] == {"maxOutputTokens": 5}


def test_rewrite_of_a_body_with_a_member_of_another_endpoint_keeps_it() -> None:
    """`contents` is nothing to an embedding, however it is spelt."""
    body = {"content": SAY[0], "conTents": SAY}
    endpoint("embed_content").read(json.dumps(body).encode())
    assert changed("embed_content", body, model="other") == body


def test_rewrite_with_another_model_renames_it_only_in_a_body_that_repeats_it() -> None:
    assert changed("generate_content", {"contents": SAY}, "real") == {"contents": SAY}
    assert changed("generate_content", {"model": "models/g"}, "real") == {"model": "models/real"}
    assert changed(
        "gemini_count_tokens", {"generateContentRequest": {"model": "models/g", "contents": SAY}}, "real"
    ) == {"generateContentRequest": {"model": "models/real", "contents": SAY}}
    batch = {"requests": [{"model": "models/g", "content": SAY[0]}, {"content": SAY[0]}]}
    assert [request["model"] for request in changed("batch_embed_contents", batch, "real")["requests"]] == [
        "models/real",
        "models/real",
    ]
    assert changed("embed_content", {"content": SAY[0], "model": "g"}, "real")["model"] == "models/real"


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("generate_content", {"model": "models/dearer", "contents": SAY}),
        ("embed_content", {"model": "dearer", "content": SAY[0]}),
        ("batch_embed_contents", {"requests": [{"model": "models/dearer", "content": SAY[0]}]}),
        ("generate_content", {"generationConfig": {}, "generation_config": {}}),
        ("generate_content", {"generationConfig": {"maxOutputTokens": "5"}}),
        ("generate_content", {"generationConfig": {"maxOutputTokens": 5, "max_output_tokens": 500}}),
        ("generate_content", {"generationConfig": 5}),
        ("generate_content", {"tools": {}}),
        ("batch_embed_contents", {"requests": {}}),
        ("batch_embed_contents", {}),
        ("gemini_count_tokens", []),
    ],
)
def test_request_with_contradicting_or_bad_fields_is_refused(name: str, body: Any) -> None:
    error = refusal(name, body)
    assert error.code is Code.INVALID_REQUEST and "dearer" not in error.message


@pytest.mark.parametrize("tool", ["retrieval", "enterpriseWebSearch", "mcpServers", "GoogleSearch", "wombat"])
def test_request_with_a_tool_without_a_usage_report_is_refused_as_not_metered(tool: str) -> None:
    error = refusal("generate_content", {"contents": SAY, "tools": [{tool: {}}]})
    assert error.code is Code.ENDPOINT_NOT_METERED and "wombat" not in error.message and "googleSearch" in error.message


@pytest.mark.parametrize(
    "part",
    [
        {"inlineData": {"mimeType": "image/png", "data": "YQ=="}},
        {"file_data": {"file_uri": "https://example.org/a"}},
        {"functionResponse": {"name": "f", "response": {}, "parts": [{"inlineData": {}}]}},
        {"something_new": {}},
    ],
)
def test_request_with_media_or_unknown_parts_has_open_input(part: Any) -> None:
    body = {"contents": [{"parts": [{"text": "a"}, part]}]}
    assert endpoint("generate_content").read(json.dumps(body).encode()).open_input
    system = {"contents": SAY, "systemInstruction": {"parts": [part]}}
    assert endpoint("generate_content").read(json.dumps(system).encode()).open_input

"""OpenAI's own SDK gets the same through softix as directly from the provider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import openai
import pytest
from support.daemon import Prepared
from support.provider import FakeProvider, fake, told
from support.sdks import Call, has_sent
from support.tenants import rows

ASK: dict[str, Any] = {"model": "gpt-test", "messages": [{"role": "user", "content": "What is there to say?"}]}
WEATHER = {
    "name": "weather",
    "description": "The weather of a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}
CHAT_TOOLS: dict[str, Any] = {"tools": [{"type": "function", "function": WEATHER}], "tool_choice": "required"}
RESPONSE: dict[str, Any] = {"model": "gpt-test", "input": "What is there to say?"}
RESPONSE_TOOLS: dict[str, Any] = {"tools": [{"type": "function", **WEATHER}], "tool_choice": "required"}
TEXT = {"model": "gpt-test", "prompt": "Once upon a time"}
CHAT, RESPOND, COMPLETE, EMBED = (
    "chat.completions.create",
    "responses.create",
    "completions.create",
    "embeddings.create",
)
USAGE = {"stream_options": {"include_usage": True}}

ANSWERS: Mapping[str, Call] = {
    "chat": Call(CHAT, ASK),
    "chat of several": Call(CHAT, {**ASK, "n": 3, "max_completion_tokens": 5}),
    "chat with tools": Call(CHAT, {**ASK, **CHAT_TOOLS}),
    "chat parsed": Call("chat.completions.parse", {**ASK, **CHAT_TOOLS}),
    "chat stream": Call(CHAT, {**ASK, "stream": True}, "stream"),
    "chat stream with usage": Call(CHAT, {**ASK, "stream": True, **USAGE}, "stream"),
    "chat stream of several": Call(CHAT, {**ASK, "stream": True, "n": 2}, "stream"),
    "chat stream with tools": Call(CHAT, {**ASK, **CHAT_TOOLS, "stream": True}, "stream"),
    "chat stream in shreds": Call(CHAT, {**ASK, "stream": True}, "stream", told=fake(split=7)),
    "chat stream helper": Call("chat.completions.stream", ASK, "helper", "get_final_completion"),
    "chat stream helper with tools": Call(
        "chat.completions.stream", {**ASK, **CHAT_TOOLS}, "helper", "get_final_completion"
    ),
    "completion": Call(COMPLETE, {**TEXT, "max_tokens": 4}),
    "completion stream": Call(COMPLETE, {**TEXT, "stream": True}, "stream"),
    "response": Call(RESPOND, RESPONSE),
    "response cut short": Call(RESPOND, {**RESPONSE, "max_output_tokens": 3}),
    "response with tools": Call(RESPOND, {**RESPONSE, **RESPONSE_TOOLS}),
    "response stream": Call(RESPOND, {**RESPONSE, "stream": True}, "stream"),
    "response stream with tools": Call(RESPOND, {**RESPONSE, **RESPONSE_TOOLS, "stream": True}, "stream"),
    "response stream helper": Call("responses.stream", RESPONSE, "helper", "get_final_response"),
    "embeddings": Call(EMBED, {"model": "gpt-test", "input": ["one", "two words"], "dimensions": 16}),
    "embeddings as numbers": Call(
        EMBED, {"model": "gpt-test", "input": "one", "dimensions": 16, "encoding_format": "float"}
    ),
}
STREAM = {**ASK, "stream": True}
RESPONSE_STREAM = {**RESPONSE, "stream": True}
FAILURES: Mapping[str, Call] = {
    **{f"status {status}": Call(CHAT, ASK, told=fake(status=status)) for status in (400, 403, 404, 413, 422, 429, 500)},
    "status 503 of a stream": Call(CHAT, STREAM, "stream", told=fake(status=503)),
    "status 429 of a response": Call(RESPOND, RESPONSE, told=fake(status=429, retry_after=20)),
    "status 500 of embeddings": Call(EMBED, {"model": "gpt-test", "input": "one"}, told=fake(status=500)),
    "an error within a stream": Call(CHAT, STREAM, "stream", told=fake(error_after=3)),
    "an error within a response": Call(RESPOND, RESPONSE_STREAM, "stream", told=fake(error_after=3)),
    "a stream that is cut": Call(CHAT, STREAM, "stream", told=fake(cut_after=3)),
    "a response that is cut": Call(RESPOND, RESPONSE_STREAM, "stream", told=fake(cut_after=3)),
    "a stream that ends at its last event": Call(CHAT, STREAM, "stream", told=fake(truncate=True)),
    "a stream of garbage": Call(CHAT, STREAM, "stream", told=fake(garbage=True)),
    "garbage": Call(CHAT, ASK, told=fake(garbage=True)),
}
BOTH = pytest.mark.parametrize("sdk", [openai.OpenAI, openai.AsyncOpenAI])


def clients(sdk: Any, client: Prepared, provider: FakeProvider, retries: int = 0) -> tuple[Any, Any]:
    """(At the provider, at softix)."""
    return (
        sdk(base_url=f"{provider.base_url}/v1", api_key="sk-direct", max_retries=retries),
        sdk(base_url=client.openai_url, api_key=client.key, max_retries=retries),
    )


@BOTH
async def test_openai_sdk_gets_the_same_responses_as_from_the_provider(
    sdk: Any, client: Prepared, fake_provider: FakeProvider
) -> None:
    direct, through = clients(sdk, client, fake_provider)
    for name, call in ANSWERS.items():
        outcome = await call.outcome(through)
        assert outcome == await call.outcome(direct), name
        assert not isinstance(outcome[0][0], list), f"{name} failed: {outcome}"
    posted = await rows(client)
    assert len(posted) == len(ANSWERS)
    assert {(row["usage_source"], row["error"]) for row in posted} == {("provider", None)}
    seen = [record for record in await fake_provider.requests() if has_sent(record, "sk-direct")]
    assert sum(record["output_tokens"] for record in seen) == sum(row["output_tokens"] or 0 for row in posted)
    assert sum(record["input_tokens"] for record in seen) == sum(row["input_tokens"] for row in posted)


@BOTH
async def test_openai_sdk_gets_the_same_errors_as_from_the_provider(
    sdk: Any, client: Prepared, fake_provider: FakeProvider
) -> None:
    direct, through = clients(sdk, client, fake_provider)
    for name, call in FAILURES.items():
        assert await call.outcome(through) == await call.outcome(direct), name
    assert len(await rows(client)) == len(FAILURES)


@BOTH
async def test_openai_sdk_retries_as_often_as_with_the_provider(
    sdk: Any, client: Prepared, fake_provider: FakeProvider
) -> None:
    call = Call(CHAT, ASK)
    for at in clients(sdk, client, fake_provider, retries=2):
        await fake_provider.reset()
        await fake_provider.script(told(status=429, retry_after="0.01"), told(status=500, retry_after="0.01"), "")
        assert (await call.outcome(at))[0][0] == "ChatCompletion"
        assert [record["status"] for record in await fake_provider.requests()] == [429, 500, 200]
    assert [row["status_code"] for row in await rows(client)] == [200, 500, 429]


@BOTH
async def test_model_list_by_the_openai_sdk_has_the_shape_of_the_provider_s(
    sdk: Any, client: Prepared, fake_provider: FakeProvider
) -> None:
    at_provider, at_softix = clients(sdk, client, fake_provider)
    listing = Call("models.list", {}, "pages")
    direct, through = await listing.outcome(at_provider), await listing.outcome(at_softix)
    assert [kind for kind, _ in through] == [kind for kind, _ in direct] == ["Model", "Model"]
    assert [set(model) for _, model in through] == [set(model) for _, model in direct]
    assert {model["id"] for _, model in through} == {model["id"] for _, model in direct}
    wanted = [entry for entry in through if entry[1]["id"] == "gpt-test"]
    assert await Call("models.retrieve", {"model": "gpt-test"}).outcome(at_softix) == wanted
    missing = await Call("models.retrieve", {"model": "gpt-other"}).outcome(at_softix)
    assert (missing[0][0], missing[2]) == ("NotFoundError", "model_not_found")


@BOTH
async def test_openai_sdk_with_the_key_in_another_header_is_accepted(
    sdk: Any, client: Prepared, fake_provider: FakeProvider
) -> None:
    at_softix = sdk(base_url=client.openai_url, api_key="none")
    other = {"Authorization": openai.Omit(), "x-api-key": client.key}
    assert (await Call(CHAT, ASK, told=other).outcome(at_softix))[0][0] == "ChatCompletion"
    assert (await Call(EMBED, {"model": "gpt-test", "input": "one"}, told=other).outcome(at_softix))[0][0].startswith(
        "CreateEmbedding"
    )


async def test_openai_sdk_sees_the_request_ids_of_the_provider_and_of_softix(
    client: Prepared, fake_provider: FakeProvider
) -> None:
    """The provider's is where its SDK looks; softix's stands in its own header."""
    async with openai.AsyncOpenAI(base_url=client.openai_url, api_key=client.key) as at_softix:
        raw = await at_softix.chat.completions.with_raw_response.create(**ASK)
    assert raw.parse()._request_id == "req_fake0"
    assert [row["request_id"] for row in await rows(client)] == [raw.headers["x-softix-request-id"]]

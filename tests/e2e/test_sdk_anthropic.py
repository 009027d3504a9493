"""Anthropic's own SDK gets the same through softix as directly from the provider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anthropic
import pytest
from support.daemon import Prepared
from support.provider import FakeProvider, fake, told
from support.sdks import Call, has_sent
from support.tenants import rows

ASK = {
    "model": "claude-test",
    "max_tokens": 64,
    "messages": [{"role": "user", "content": "What is there to say?"}],
}
WEATHER = {
    "name": "weather",
    "description": "The weather of a city.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
TOOLS: dict[str, Any] = {"tools": [WEATHER], "tool_choice": {"type": "any"}}
COUNT = {"model": "claude-test", "messages": ASK["messages"], "system": "Be brief."}
CREATE, HELPER = "messages.create", "messages.stream"

ANSWERS: Mapping[str, Call] = {
    "message": Call(CREATE, ASK),
    "message with a system prompt": Call(CREATE, {**ASK, "system": [{"type": "text", "text": "Be brief."}]}),
    "message cut short": Call(CREATE, {**ASK, "max_tokens": 3}),
    "message with tools": Call(CREATE, {**ASK, **TOOLS}),
    "beta message": Call("beta.messages.create", {**ASK, "betas": ["token-efficient-tools-2025-02-19"]}),
    "stream": Call(CREATE, {**ASK, "stream": True}, "stream"),
    "stream with tools": Call(CREATE, {**ASK, **TOOLS, "stream": True}, "stream"),
    "stream in shreds": Call(CREATE, {**ASK, "stream": True}, "stream", told=fake(split=7)),
    "stream helper": Call(HELPER, ASK, "helper", "get_final_message"),
    "stream helper with tools": Call(HELPER, {**ASK, **TOOLS}, "helper", "get_final_message"),
}
STREAM = {**ASK, "stream": True}
FAILURES: Mapping[str, Call] = {
    **{
        f"status {status}": Call(CREATE, ASK, told=fake(status=status))
        for status in (400, 403, 404, 413, 422, 429, 500, 529)
    },
    "status 529 of a stream": Call(CREATE, STREAM, "stream", told=fake(status=529)),
    "status 429 to the helper": Call(HELPER, ASK, "helper", "get_final_message", fake(status=429, retry_after=20)),
    "an error within a stream": Call(CREATE, STREAM, "stream", told=fake(error_after=3)),
    "an error within the helper's": Call(HELPER, ASK, "helper", "get_final_message", fake(error_after=3)),
    "a stream that ends early": Call(CREATE, STREAM, "stream", told=fake(truncate=True)),
    "a stream that is cut": Call(CREATE, STREAM, "stream", told=fake(cut_after=3)),
    "a stream of garbage": Call(CREATE, STREAM, "stream", told=fake(garbage=True)),
    "garbage": Call(CREATE, ASK, told=fake(garbage=True)),
}
BOTH = pytest.mark.parametrize("sdk", [anthropic.Anthropic, anthropic.AsyncAnthropic])


def clients(sdk: Any, client: Prepared, provider: FakeProvider, retries: int = 0) -> tuple[Any, Any]:
    """(At the provider, at softix)."""
    return (
        sdk(base_url=provider.base_url, api_key="sk-direct", max_retries=retries),
        sdk(base_url=client.url, api_key=client.key, max_retries=retries),
    )


@BOTH
async def test_anthropic_sdk_gets_the_same_responses_as_from_the_provider(
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
    assert sum(record["output_tokens"] for record in seen) == sum(row["output_tokens"] for row in posted)
    assert sum(record["input_tokens"] for record in seen) == sum(row["input_tokens"] for row in posted)


@BOTH
async def test_token_count_by_the_anthropic_sdk_costs_nothing(
    sdk: Any, client: Prepared, fake_provider: FakeProvider
) -> None:
    direct, through = clients(sdk, client, fake_provider)
    call = Call("messages.count_tokens", COUNT)
    outcome = await call.outcome(through)
    assert outcome == await call.outcome(direct)
    assert outcome[0][1]["input_tokens"] > 0
    assert [(row["endpoint"], row["charge"]) for row in await rows(client)] == [("count_tokens", "0.00")]


@BOTH
async def test_anthropic_sdk_gets_the_same_errors_as_from_the_provider(
    sdk: Any, client: Prepared, fake_provider: FakeProvider
) -> None:
    direct, through = clients(sdk, client, fake_provider)
    for name, call in FAILURES.items():
        assert await call.outcome(through) == await call.outcome(direct), name
    assert len(await rows(client)) == len(FAILURES)


@BOTH
async def test_anthropic_sdk_retries_as_often_as_with_the_provider(
    sdk: Any, client: Prepared, fake_provider: FakeProvider
) -> None:
    call = Call(CREATE, ASK)
    for at in clients(sdk, client, fake_provider, retries=2):
        await fake_provider.reset()
        await fake_provider.script(told(status=529, retry_after="0.01"), told(status=500, retry_after="0.01"), "")
        assert (await call.outcome(at))[0][0] == "Message"
        assert [record["status"] for record in await fake_provider.requests()] == [529, 500, 200]
    assert [row["status_code"] for row in await rows(client)] == [200, 500, 529]


@BOTH
async def test_model_list_by_the_anthropic_sdk_has_the_shape_of_the_provider_s(
    sdk: Any, client: Prepared, fake_provider: FakeProvider
) -> None:
    direct, through = [await Call("models.list", {}, "pages").outcome(at) for at in clients(sdk, client, fake_provider)]
    assert [kind for kind, _ in through] == [kind for kind, _ in direct] == ["ModelInfo", "ModelInfo"]
    assert [set(model) for _, model in through] == [set(model) for _, model in direct]
    assert {model["id"] for _, model in through} == {model["id"] for _, model in direct}
    _, at_softix = clients(sdk, client, fake_provider)
    assert await Call("models.retrieve", {"model_id": "claude-test"}).outcome(at_softix) == [
        entry for entry in through if entry[1]["id"] == "claude-test"
    ]
    missing = await Call("models.retrieve", {"model_id": "claude-other"}).outcome(at_softix)
    assert (missing[0][0], missing[1]) == ("NotFoundError", 404)


@BOTH
async def test_anthropic_sdk_with_an_auth_token_is_accepted(
    sdk: Any, client: Prepared, fake_provider: FakeProvider
) -> None:
    """Some of its users have the key in ANTHROPIC_AUTH_TOKEN."""
    through = sdk(base_url=client.url, auth_token=client.key)
    assert (await Call(CREATE, ASK).outcome(through))[0][0] == "Message"
    counted = await Call("messages.count_tokens", COUNT).outcome(through)
    assert counted[0][0] == "MessageTokensCount"


async def test_anthropic_sdk_sees_the_request_ids_of_the_provider_and_of_softix(
    client: Prepared, fake_provider: FakeProvider
) -> None:
    """The provider's is where its SDK looks; softix's stands in its own header."""
    async with anthropic.AsyncAnthropic(base_url=client.url, api_key=client.key) as at_softix:
        raw = await at_softix.messages.with_raw_response.create(**ASK)  # type: ignore[call-overload]
    made: Any = await raw.parse()  # type: ignore[misc]
    assert made._request_id == "req_fake0"
    assert [row["request_id"] for row in await rows(client)] == [raw.headers["x-softix-request-id"]]

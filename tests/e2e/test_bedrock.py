"""Real SDKs on models at Bedrock: what it is sent, what they are told, and exactly one charge with the right meters."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import anthropic
import openai
import pytest
from support.daemon import Prepared, prepared
from support.process import ServerProcess
from support.tenants import offer, rows, settled

from softix_proxy.domain.catalog.providers import ProviderType
from softix_proxy.domain.pricing.rates import PriceSheet
from softix_proxy.operations.catalog import models

CLAUDE, LLAMA = "us.anthropic.claude-test-v1:0", "meta.llama-test-v1:0"
PRICE = {"input": "3", "cached_input": "0.3", "output": "15"}
QUESTION: Any = [{"role": "user", "content": "What is there to say?"}]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
FUNCTION: Any = {"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}
TOOL: Any = {"name": "weather", "input_schema": SCHEMA}
SAID = "Hello from here."


@pytest.fixture
def bedrock() -> Iterator[ServerProcess]:
    server = ServerProcess("bedrock_server.py")
    yield server
    server.stop()


@pytest.fixture
async def house(bedrock: ServerProcess, tmp_path: Path) -> AsyncIterator[Prepared]:
    made = await prepared(tmp_path, bedrock.base_url)
    await offer(made, "gated", ProviderType.BEDROCK, bedrock.base_url, PRICE)
    async with made.instance.opened() as opened:
        for name in (CLAUDE, LLAMA, "throttled", "claude-gated"):
            sheet = PriceSheet.parse({"bands": [{"prices": PRICE}]})
            await models.add(opened.storage, name=name, provider="gated-lab", sheet=sheet, max_output_tokens=4096)
    async with made.instance.serving():
        yield made


@pytest.fixture
async def openais(house: Prepared) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=house.openai_url, api_key=house.key, max_retries=0) as sdk:
        yield sdk


@pytest.fixture
async def anthropics(house: Prepared) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with anthropic.AsyncAnthropic(base_url=house.url, api_key=house.key, max_retries=0) as sdk:
        yield sdk


async def ask(bedrock: ServerProcess, path: str) -> Any:
    async with aiohttp.ClientSession() as session, session.get(f"{bedrock.base_url}/{path}") as answer:
        return await answer.json()


async def charged_once(house: Prepared, bedrock: ServerProcess, model: str, verb: str) -> Any:
    """What Bedrock was sent."""
    [row] = await rows(house)
    assert row["usage_source"] == "provider"
    assert (row["input_tokens"], row["cached_input_tokens"], row["output_tokens"]) == (30, 100, 12)
    assert row["charge"] == "0.0003"
    [seen] = await ask(bedrock, "seen")
    assert (seen["model"], seen["verb"]) == (model.replace(":", "%3A"), verb)
    assert seen["bearer"] == "Bearer sk-of-a-lab"
    assert not seen["body"].keys() & {"model", "stream"}
    return seen["body"]


@pytest.mark.parametrize("model", [CLAUDE, LLAMA])
async def test_chat_on_a_bedrock_model_returns_the_tool_call_and_is_charged_once(
    house: Prepared, bedrock: ServerProcess, openais: openai.AsyncOpenAI, model: str
) -> None:
    answer = await openais.chat.completions.create(model=model, messages=QUESTION, tools=[FUNCTION])
    (call,) = answer.choices[0].message.tool_calls or ()
    assert call.type == "function" and json.loads(call.function.arguments) == {"city": "here"}
    assert answer.usage and answer.usage.prompt_tokens == 130
    body = await charged_once(house, bedrock, model, "converse")
    assert body["toolConfig"]["tools"][0]["toolSpec"]["name"] == "weather"


async def test_chat_stream_on_a_bedrock_model_returns_the_text_and_is_charged_once(
    house: Prepared, bedrock: ServerProcess, openais: openai.AsyncOpenAI
) -> None:
    async with openais.chat.completions.stream(model=LLAMA, messages=QUESTION) as stream:
        answer = await stream.get_final_completion()
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == (SAID, "stop")
    await charged_once(house, bedrock, LLAMA, "converse-stream")


@pytest.mark.parametrize(("model", "verb"), [(CLAUDE, "invoke"), (LLAMA, "converse")])
async def test_messages_on_a_bedrock_model_return_the_text_and_are_charged_once(
    house: Prepared, bedrock: ServerProcess, anthropics: anthropic.AsyncAnthropic, model: str, verb: str
) -> None:
    asked: Any = {"model": model, "messages": QUESTION, "max_tokens": 64}
    answer = await anthropics.messages.create(**asked)
    assert [block.text for block in answer.content if block.type == "text"] == [SAID]
    assert (answer.stop_reason, answer.usage.cache_read_input_tokens) == ("end_turn", 100)
    body = await charged_once(house, bedrock, model, verb)
    if verb == "invoke":
        version = "bedrock-2023-05-31"
        assert body == {"messages": QUESTION, "max_tokens": 64, "anthropic_version": version}


@pytest.mark.parametrize(("model", "verb"), [(CLAUDE, "invoke-with-response-stream"), (LLAMA, "converse-stream")])
async def test_messages_stream_on_a_bedrock_model_returns_the_tool_call_and_is_charged_once(
    house: Prepared, bedrock: ServerProcess, anthropics: anthropic.AsyncAnthropic, model: str, verb: str
) -> None:
    asked: Any = {"model": model, "messages": QUESTION, "max_tokens": 64, "tools": [TOOL]}
    async with anthropics.messages.stream(**asked) as stream:
        answer = await stream.get_final_message()
    (block,) = answer.content
    assert block.type == "tool_use" and block.input == {"city": "here"}
    assert (answer.stop_reason, answer.usage.output_tokens) == ("tool_use", 12)
    await charged_once(house, bedrock, model, verb)


async def test_bedrock_error_is_raised_as_that_of_the_client_s_sdk(
    house: Prepared, anthropics: anthropic.AsyncAnthropic
) -> None:
    with pytest.raises(anthropic.RateLimitError, match="Too many requests") as caught:
        await anthropics.messages.create(model="throttled", messages=QUESTION, max_tokens=64)
    assert "x-amzn-errortype" not in caught.value.response.headers
    [row] = await rows(house)
    assert (float(row["charge"]), row["error"]) == (0, "provider_rate_limited")


@pytest.mark.parametrize("model", ["gated", "claude-gated"])
async def test_client_that_disconnects_from_a_bedrock_stream_is_charged_for_all_of_it(
    house: Prepared, bedrock: ServerProcess, anthropics: anthropic.AsyncAnthropic, model: str
) -> None:
    async with anthropics.messages.stream(model=model, messages=QUESTION, max_tokens=64) as stream:
        async for _ in stream.text_stream:
            break
    await ask(bedrock, "open")
    row = await settled(house)
    assert (row["input_tokens"], row["output_tokens"], row["charge"]) == (30, 12, "0.0003")

"""Real SDKs on models that are served in another dialect: content, tools and errors, and exactly one charge."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import anthropic
import openai
import pytest
from google import genai
from support.daemon import Prepared
from support.provider import fake
from support.tenants import rows

QUESTION: Any = [{"role": "user", "content": "What is there to say?"}]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
FUNCTION: Any = {"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}
TOOL: Any = {"name": "weather", "input_schema": SCHEMA}
ASK: dict[str, Any] = {"max_tokens": 64, "messages": QUESTION}


@pytest.fixture
async def openais(any_client: Prepared) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=f"{any_client.url}/v1", api_key=any_client.key, max_retries=0) as sdk:
        yield sdk


@pytest.fixture
async def anthropics(any_client: Prepared) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with anthropic.AsyncAnthropic(base_url=any_client.url, api_key=any_client.key, max_retries=0) as sdk:
        yield sdk


async def charged_once(any_client: Prepared, endpoint: str) -> Any:
    [row] = await rows(any_client)
    assert (row["endpoint"], row["usage_source"]) == (endpoint, "provider")
    assert float(row["charge"]) > 0
    return row


async def test_chat_on_an_anthropic_model_is_translated_and_charged_once(
    any_client: Prepared, openais: openai.AsyncOpenAI
) -> None:
    raw = await openais.chat.completions.with_raw_response.create(model="claude-test", messages=QUESTION, seed=1)
    answer = raw.parse()
    assert answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0
    assert raw.headers["x-softix-dropped"] == "seed, no_output_limit"
    assert float(raw.headers["x-softix-cost-usd"]) > 0
    await charged_once(any_client, "chat_completions")


async def test_chat_stream_on_an_anthropic_model_is_translated_and_charged_once(
    any_client: Prepared, openais: openai.AsyncOpenAI
) -> None:
    asked: Any = {"model": "claude-test", "messages": QUESTION, "tools": [FUNCTION], "tool_choice": "required"}
    async with openais.chat.completions.stream(**asked, stream_options={"include_usage": True}) as stream:
        answer = await stream.get_final_completion()
    (call,) = answer.choices[0].message.tool_calls or ()
    assert call.function.name == "weather"
    assert isinstance(json.loads(call.function.arguments), dict)
    assert answer.choices[0].finish_reason == "tool_calls"
    assert answer.usage
    await charged_once(any_client, "chat_completions")


async def test_responses_stream_on_an_anthropic_model_is_translated_and_charged_once(
    any_client: Prepared, openais: openai.AsyncOpenAI
) -> None:
    async with openais.responses.stream(model="claude-test", input="What is there to say?") as stream:
        answer = await stream.get_final_response()
    assert answer.output_text
    assert answer.usage
    await charged_once(any_client, "responses")


async def test_previous_response_id_on_an_anthropic_model_is_refused(
    any_client: Prepared, openais: openai.AsyncOpenAI
) -> None:
    """No answer of such a model is kept for anybody, not even the client's own."""
    made = await openais.responses.create(model="claude-test", input="What is there to say?")
    with pytest.raises(openai.NotFoundError, match="stored response") as refused:
        await openais.responses.create(model="claude-test", input="And?", previous_response_id=made.id)
    assert refused.value.code == "object_not_found"
    await charged_once(any_client, "responses")


async def test_messages_on_an_openai_model_are_translated_and_charged_once(
    any_client: Prepared, anthropics: anthropic.AsyncAnthropic
) -> None:
    answer = await anthropics.messages.create(model="gpt-test", **ASK)
    assert answer.content[0].type == "text"
    assert answer.content[0].text
    assert answer.stop_reason == "end_turn"
    assert answer.usage.output_tokens > 0
    await charged_once(any_client, "messages")


async def test_messages_stream_on_an_openai_model_is_translated_and_charged_once(
    any_client: Prepared, anthropics: anthropic.AsyncAnthropic
) -> None:
    asked: Any = {"model": "gpt-test", "tools": [TOOL], "tool_choice": {"type": "any"}, **ASK}
    async with anthropics.messages.stream(**asked, extra_headers=dict(fake(split=7))) as stream:
        answer = await stream.get_final_message()
    (block,) = answer.content
    assert block.type == "tool_use"
    assert (block.name, answer.stop_reason) == ("weather", "tool_use")
    assert answer.usage.input_tokens > 0
    await charged_once(any_client, "messages")


async def test_endpoint_without_a_translation_is_refused_with_the_path_that_works(openais: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="/v1/messages"):
        await openais.embeddings.create(model="claude-test", input="x")


@pytest.mark.parametrize("model", ["gpt-test", "claude-test"])
async def test_generate_content_on_another_provider_s_model_is_translated_and_metered(
    any_client: Prepared, model: str
) -> None:
    google = genai.Client(api_key=any_client.key, http_options={"base_url": any_client.url})
    asked: Any = {"model": model, "contents": "What is there to say?", "config": {"max_output_tokens": 64}}
    answer = await google.aio.models.generate_content(**asked)
    assert answer.text
    chunks = [chunk async for chunk in await google.aio.models.generate_content_stream(**asked)]
    assert "".join(chunk.text or "" for chunk in chunks)
    for told in (answer, chunks[-1]):
        assert told.usage_metadata
        assert told.usage_metadata.candidates_token_count
    posted = await rows(any_client)
    assert [row["endpoint"] for row in posted] == ["stream_generate_content", "generate_content"]
    assert {row["usage_source"] for row in posted} == {"provider"}


async def test_messages_on_a_google_model_are_translated_and_metered(
    any_client: Prepared, anthropics: anthropic.AsyncAnthropic
) -> None:
    answer = await anthropics.messages.create(model="gemini-test", **ASK)
    async with anthropics.messages.stream(model="gemini-test", **ASK) as stream:
        streamed = await stream.get_final_message()
    for found in (answer, streamed):
        assert found.content[0].type == "text"
        assert found.content[0].text
        assert (found.stop_reason, found.usage.output_tokens > 0) == ("end_turn", True)
    assert [row["usage_source"] for row in await rows(any_client)] == ["provider", "provider"]


@pytest.mark.parametrize(
    ("status", "kind"),
    [(429, anthropic.RateLimitError), (404, anthropic.NotFoundError), (500, anthropic.InternalServerError)],
)
async def test_translated_error_is_raised_as_that_of_the_client_s_sdk(
    anthropics: anthropic.AsyncAnthropic, status: int, kind: type[anthropic.APIStatusError]
) -> None:
    with pytest.raises(kind) as caught:
        await anthropics.messages.create(model="gpt-test", **ASK, extra_headers=dict(fake(status=status)))
    assert caught.value.status_code == status
    body: Any = caught.value.body
    assert body["type"] == "error"
    assert body["error"]["message"]


async def test_translated_error_in_a_stream_is_raised_by_the_client_s_sdk(anthropics: anthropic.AsyncAnthropic) -> None:
    with pytest.raises(anthropic.APIError):
        async with anthropics.messages.stream(
            model="gpt-test", **ASK, extra_headers=dict(fake(error_after=2))
        ) as stream:
            await stream.get_final_message()


async def test_hosted_tool_on_another_provider_s_model_is_dropped_and_needs_no_price(
    any_client: Prepared, openais: openai.AsyncOpenAI
) -> None:
    tools: Any = [{"type": "web_search"}, {"type": "function", "name": "weather", "parameters": SCHEMA, "strict": None}]
    asked: Any = {"model": "claude-test", "input": "What is there to say?", "tools": tools}
    raw = await openais.responses.with_raw_response.create(**asked)
    assert raw.parse().output_text
    assert "hosted_tools" in raw.headers["x-softix-dropped"]
    await charged_once(any_client, "responses")

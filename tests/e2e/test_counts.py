"""Tokens counted for a client of another dialect: the SDK gets its own answer, and nobody is charged."""

from __future__ import annotations

import anthropic
import openai
import pytest
from google import genai
from support.daemon import Prepared
from support.tenants import rows

WORDS = "What is there to say?"


async def test_token_count_by_the_anthropic_sdk_on_a_google_model_is_free(any_client: Prepared) -> None:
    async with anthropic.AsyncAnthropic(base_url=any_client.url, api_key=any_client.key, max_retries=0) as sdk:
        few, many = [
            await sdk.messages.count_tokens(
                model="gemini-test", system=WORDS, messages=[{"role": "user", "content": WORDS * times}]
            )
            for times in (1, 50)
        ]
    assert 0 < few.input_tokens < many.input_tokens
    assert [(row["endpoint"], row["charge"]) for row in await rows(any_client)] == [("count_tokens", "0.00")] * 2


async def test_token_count_by_the_google_sdk_on_an_anthropic_model_returns_a_number(any_client: Prepared) -> None:
    options = genai.types.HttpOptions(base_url=any_client.url)
    sdk = genai.Client(api_key=any_client.key, http_options=options)
    told = await sdk.aio.models.count_tokens(model="claude-test", contents=WORDS)
    assert told.total_tokens and told.total_tokens > 0
    await sdk.aio.aclose()


async def test_token_count_by_the_openai_sdk_on_an_anthropic_model_returns_a_number(any_client: Prepared) -> None:
    async with openai.AsyncOpenAI(base_url=any_client.openai_url, api_key=any_client.key, max_retries=0) as sdk:
        told = await sdk.responses.input_tokens.count(model="claude-test", input=WORDS, instructions=WORDS)
        assert told.input_tokens > 0 and told.object == "response.input_tokens"
        with pytest.raises(openai.NotFoundError, match="stored response"):
            await sdk.responses.input_tokens.count(model="claude-test", input=WORDS, previous_response_id="resp_1")
        assert (await sdk.responses.input_tokens.count(model="gpt-test", input=WORDS)).input_tokens > 0

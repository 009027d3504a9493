"""Google's own SDK gets the same through softix as directly from the provider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from google import genai
from google.genai.errors import APIError
from support.daemon import Prepared
from support.provider import FakeProvider, fake
from support.sdks import has_sent
from support.tenants import charges, rows

ASK: dict[str, Any] = {"model": "gemini-test", "contents": "What is there to say?"}
SHORT = {"config": {"max_output_tokens": 3}}
ANSWERS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "plain": ("generate_content", ASK),
    "cut short": ("generate_content", {**ASK, **SHORT}),
    "with instructions": ("generate_content", {**ASK, "config": {"system_instruction": "Be brief."}}),
    "stream": ("generate_content_stream", ASK),
    "stream cut short": ("generate_content_stream", {**ASK, **SHORT}),
    "embeddings": ("embed_content", ASK),
    "count": ("count_tokens", ASK),
}
STATUSES = (400, 403, 404, 429, 500, 503)


def client_of(base_url: str, key: str, **told: Any) -> genai.Client:
    options: Any = {"base_url": base_url, "headers": fake(**told) if told else {}, "retry_options": {"attempts": 1}}
    return genai.Client(api_key=key, http_options=options)


async def outcome(client: genai.Client, verb: str, fields: Mapping[str, Any]) -> Any:
    """The answer's objects as data, or the exception's class and facts."""
    try:
        answer = await getattr(client.aio.models, verb)(**fields)
        found = [item async for item in answer] if verb.endswith("_stream") else [answer]
    except APIError as error:
        return type(error).__name__, error.code, error.status, error.message
    return [item.model_dump(exclude={"sdk_http_response", "response_id"}, exclude_none=True) for item in found]


async def test_google_sdk_gets_the_same_responses_as_from_the_provider(
    any_client: Prepared, fake_provider: FakeProvider
) -> None:
    direct, through = client_of(fake_provider.base_url, "sk-direct"), client_of(any_client.url, any_client.key)
    for name, (verb, fields) in ANSWERS.items():
        got = await outcome(through, verb, fields)
        assert isinstance(got, list) and got == await outcome(direct, verb, fields), name
    posted = await rows(any_client)
    assert len(posted) == len(ANSWERS) and {row["error"] for row in posted} == {None}
    assert len(await charges(any_client)) == len(ANSWERS) - 1, "counting is free"
    requests = await fake_provider.requests()
    seen = [record for record in requests if record["metered"] and has_sent(record, "sk-direct")]
    assert sum(record["output_tokens"] for record in seen) == sum(row["output_tokens"] or 0 for row in posted)
    assert not any(has_sent(record, any_client.key) for record in requests)


@pytest.mark.parametrize("verb", ["generate_content", "generate_content_stream"])
async def test_google_sdk_gets_the_same_errors_as_from_the_provider(
    verb: str, any_client: Prepared, fake_provider: FakeProvider
) -> None:
    for status in STATUSES:
        direct = client_of(fake_provider.base_url, "sk-direct", status=status)
        through = client_of(any_client.url, any_client.key, status=status)
        assert await outcome(through, verb, ASK) == await outcome(direct, verb, ASK), status
    assert {row["charge"] for row in await rows(any_client)} == {"0.00"}


async def test_refusals_by_softix_are_errors_of_the_google_sdk(
    any_client: Prepared, fake_provider: FakeProvider
) -> None:
    stranger, known = client_of(any_client.url, "sk-none"), client_of(any_client.url, any_client.key)
    assert (await outcome(stranger, "generate_content", ASK))[:3] == ("ClientError", 401, "UNAUTHENTICATED")
    missing = await outcome(known, "generate_content", {**ASK, "model": "gemini-none"})
    assert missing[:3] == ("ClientError", 404, "NOT_FOUND")
    other = await outcome(known, "embed_content", {**ASK, "model": "gpt-test"})
    assert other[:3] == ("ClientError", 400, "INVALID_ARGUMENT") and "/v1/chat/completions" in other[3]
    assert await rows(any_client) == [] and await fake_provider.requests() == []


async def test_model_list_by_the_google_sdk_contains_the_model(any_client: Prepared) -> None:
    client = client_of(any_client.url, any_client.key)
    names = [model.name async for model in await client.aio.models.list()]
    assert "models/gemini-test" in names
    assert (await client.aio.models.get(model="gemini-test")).name == "models/gemini-test"


async def test_gemini_stream_without_events_is_one_json_array(any_client: Prepared, session: Any) -> None:
    url = f"{any_client.url}/v1beta/models/gemini-test:streamGenerateContent"
    body = {"contents": [{"parts": [{"text": "What is there to say?"}]}]}
    async with session.post(url, json=body, headers={"x-goog-api-key": any_client.key}) as answer:
        chunks = await answer.json()
    [row] = await rows(any_client)
    assert len(chunks) == 8 == row["output_tokens"] and row["stream"] is True
    assert (row["endpoint"], row["usage_source"]) == ("stream_generate_content", "provider")
    assert await charges(any_client) == [f"-{row['charge']}"]

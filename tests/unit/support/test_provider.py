from __future__ import annotations

import asyncio
import hashlib
import os
import signal
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import anthropic
import openai
import pytest
from support.provider import FakeProvider, fake, told

QUESTION: Any = [{"role": "user", "content": "three words here"}]


@pytest.fixture
async def gpt(fake_provider: FakeProvider) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=f"{fake_provider.base_url}/v1", api_key="k", max_retries=0) as client:
        yield client


@pytest.fixture
async def claude(fake_provider: FakeProvider) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with anthropic.AsyncAnthropic(base_url=fake_provider.base_url, api_key="k", max_retries=0) as client:
        yield client


@pytest.fixture
async def http(fake_provider: FakeProvider) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(base_url=fake_provider.base_url) as session:
        yield session


def chat(**more: Any) -> Any:
    return {"model": "gpt-test", "messages": QUESTION, **more}


async def test_fake_provider_counts_each_endpoint_s_tokens(
    gpt: openai.AsyncOpenAI, claude: anthropic.AsyncAnthropic, fake_provider: FakeProvider
) -> None:
    answer = await gpt.chat.completions.create(**chat())
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (4, 8)
    chunks = [chunk async for chunk in await gpt.chat.completions.create(**chat(stream=True))]
    assert chunks[-1].choices[0].finish_reason == "stop"
    await gpt.completions.create(model="gpt-test", prompt="one two")
    response = await gpt.responses.create(model="gpt-test", input="one two")
    assert response.usage.output_tokens == 8
    await gpt.embeddings.create(model="gpt-test", input="one two")
    message = await claude.messages.create(**chat(max_tokens=3))
    assert (message.usage.output_tokens, message.stop_reason) == (3, "max_tokens")
    async with claude.messages.stream(**chat(max_tokens=100)) as stream:
        assert (await stream.get_final_message()).usage.output_tokens == 8
    await claude.messages.count_tokens(**chat())
    assert len([model async for model in gpt.models.list()]) == 2
    assert await fake_provider.totals() == {
        "requests": 7,
        "finished": 7,
        "hung_up": 0,
        "input_tokens": 4 + 4 + 2 + 2 + 2 + 4 + 4,
        "output_tokens": 8 + 8 + 8 + 8 + 0 + 3 + 8,
    }


async def test_fake_provider_records_what_it_received(http: aiohttp.ClientSession, fake_provider: FakeProvider) -> None:
    body = b'{"model": "gpt-test", "max_tokens": 5, "messages": [{"content": "secret"}]}'
    headers = [("X-Odd", "One"), ("X-Odd", "two")]
    async with http.post("/v1/chat/completions?a=b", data=body, headers=headers) as answer:
        assert answer.status == 200
    [record] = await fake_provider.requests()
    assert (record["method"], record["path"], record["query"]) == ("POST", "/v1/chat/completions", "a=b")
    assert [pair for pair in record["headers"] if pair[0].lower() == "x-odd"] == [["X-Odd", "One"], ["X-Odd", "two"]]
    assert (record["body_sha256"], record["body_bytes"]) == (hashlib.sha256(body).hexdigest(), len(body))
    assert record["fields"] == {"model": "gpt-test", "max_tokens": 5}
    assert (record["status"], record["output_tokens"], record["sent_tokens"]) == (200, 5, 5)


@pytest.mark.parametrize(
    ("status", "error", "other"),
    [
        (400, openai.BadRequestError, anthropic.BadRequestError),
        (401, openai.AuthenticationError, anthropic.AuthenticationError),
        (429, openai.RateLimitError, anthropic.RateLimitError),
        (500, openai.InternalServerError, anthropic.InternalServerError),
        (529, openai.InternalServerError, anthropic.InternalServerError),
    ],
)
async def test_fake_provider_with_a_status_raises_the_sdk_s_exception(
    gpt: openai.AsyncOpenAI,
    claude: anthropic.AsyncAnthropic,
    fake_provider: FakeProvider,
    status: int,
    error: type[openai.APIStatusError],
    other: type[anthropic.APIStatusError],
) -> None:
    headers = fake(status=status, canary="tweet", headers=True)
    with pytest.raises(error, match="tweet") as caught:
        await gpt.chat.completions.create(**chat(), extra_headers=headers)
    assert caught.value.status_code == status and "fake-session" in caught.value.response.headers["set-cookie"]
    assert ("retry-after" in caught.value.response.headers) == (status in (429, 529))
    with pytest.raises(other, match="tweet"):
        await claude.messages.create(**chat(max_tokens=9), extra_headers=headers)
    assert await fake_provider.totals() == {
        "requests": 2,
        **dict.fromkeys(("finished", "hung_up", "input_tokens", "output_tokens"), 0),
    }


async def test_fake_provider_obeys_its_script_and_its_model_name(
    gpt: openai.AsyncOpenAI, fake_provider: FakeProvider
) -> None:
    await fake_provider.script(told(status=500), "", told(chunks=2))
    with pytest.raises(openai.InternalServerError):
        await gpt.chat.completions.create(**chat())
    answers = [await gpt.chat.completions.create(**chat()) for _ in range(3)]
    assert [answer.usage.completion_tokens for answer in answers] == [8, 2, 8]
    with pytest.raises(openai.RateLimitError, match="tweet"):
        await gpt.chat.completions.create(**chat(model="fake.status.429+canary.tweet:gpt-test"))


@pytest.mark.parametrize("headers", [fake(cut_after=2), fake(truncate=True), fake(cut_after=5, split=11)])
@pytest.mark.parametrize("stream", [True, False])
async def test_fake_provider_told_to_cut_breaks_the_response_off(
    http: aiohttp.ClientSession, fake_provider: FakeProvider, headers: dict[str, str], stream: bool
) -> None:
    with pytest.raises(aiohttp.ClientError):
        async with http.post("/v1/chat/completions", json=chat(stream=stream), headers=headers) as answer:
            assert answer.status == 200
            await answer.read()
    totals = await fake_provider.totals()
    assert (totals["requests"], totals["finished"], totals["output_tokens"]) == (1, 0, 0)


async def test_fake_provider_reports_the_usage_it_is_told(
    gpt: openai.AsyncOpenAI, claude: anthropic.AsyncAnthropic, fake_provider: FakeProvider
) -> None:
    answer = await gpt.chat.completions.create(**chat(), extra_headers=fake(tokens="100,200"))
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (100, 200, 300)
    async with claude.messages.stream(**chat(max_tokens=50), extra_headers=fake(tokens="10,20")) as stream:
        usage = (await stream.get_final_message()).usage
    assert (usage.input_tokens, usage.output_tokens) == (10, 20)
    totals = await fake_provider.totals()
    assert (totals["input_tokens"], totals["output_tokens"]) == (110, 220)
    silent = await gpt.chat.completions.create(**chat(), extra_headers=fake(no_usage=True))
    assert silent.usage is None
    asked = chat(stream=True, stream_options={"include_usage": True})
    chunks = [
        chunk async for chunk in await gpt.chat.completions.create(**asked, extra_headers=fake(no_usage=True, split=7))
    ]
    assert all(chunk.choices and chunk.usage is None for chunk in chunks)


async def test_fake_provider_sends_the_contents_it_is_told(http: aiohttp.ClientSession) -> None:
    async with http.post("/v1/chat/completions", json=chat(), headers=fake(big=100_000, canary="tweet")) as answer:
        body = await answer.read()
    assert len(body) > 100_000 and b"tweet" in body
    async with http.post("/v1/messages", json=chat(max_tokens=5), headers=fake(garbage=True)) as answer:
        with pytest.raises(UnicodeDecodeError):
            await answer.json()
    async with http.post("/v1/messages", json=chat(max_tokens=5, stream=True), headers=fake(error_after=1)) as answer:
        events = await answer.text()
    assert events.count("content_block_delta") == 2 and events.endswith("\n\n") and "overloaded_error" in events


async def test_fake_provider_with_a_gate_waits_and_counts_disconnects(
    http: aiohttp.ClientSession, fake_provider: FakeProvider
) -> None:
    async def ask(**directives: Any) -> bytes:
        headers = fake(gate="g", **directives)
        async with http.post("/v1/chat/completions", json=chat(stream=True), headers=headers) as answer:
            return await answer.read()

    whole = asyncio.ensure_future(ask())
    later = asyncio.ensure_future(ask(gate_after=3))
    gone = asyncio.ensure_future(ask())
    await fake_provider.waiting("g", 3)
    gone.cancel()
    await fake_provider.until("hung_up")
    await fake_provider.open("g")
    assert (await whole).endswith(b"[DONE]\n\n") and (await later).endswith(b"[DONE]\n\n")
    totals = await fake_provider.totals()
    assert (totals["requests"], totals["finished"], totals["hung_up"]) == (3, 2, 1)


@pytest.mark.parametrize("directives", [{"stall": True}, {"stall_after": 2}])
async def test_fake_provider_told_to_stall_sends_no_end(
    http: aiohttp.ClientSession, fake_provider: FakeProvider, directives: dict[str, Any]
) -> None:
    asking = asyncio.ensure_future(
        http.post("/v1/chat/completions", json=chat(stream=True), headers=fake(**directives))
    )
    await fake_provider.until("requests")
    if "stall" in directives:
        asking.cancel()
    else:
        (await asking).close()
    await fake_provider.until("hung_up")
    assert (await fake_provider.totals())["finished"] == 0


def test_fake_provider_stopped_or_killed_ends() -> None:
    provider = FakeProvider()
    provider.stop()
    assert provider.process.returncode == 0
    again = FakeProvider()
    os.kill(again.process.pid, signal.SIGKILL)
    again.stop()
    assert again.process.returncode == -signal.SIGKILL

"""Errors that come with a good status, and redirects, as real SDKs get them through the real daemon."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import aiohttp
import anthropic
import openai
import pytest
from aiohttp import web
from google import genai
from google.genai.errors import ServerError
from support.batch_lab import BatchLab, batch_lab
from support.daemon import Prepared, prepared
from support.tenants import held, offer, rows

from softix_proxy.domain.catalog.providers import ProviderType

PRICE = {"input": "1", "output": "2"}
PROMPT = "word " * 80_000
"""400 kB: an estimate of it would be a tenth of a dollar."""


@pytest.fixture
async def lab() -> AsyncIterator[BatchLab]:
    async with batch_lab() as lab:
        yield lab


@pytest.fixture
async def client(lab: BatchLab, tmp_path: Path) -> AsyncIterator[Prepared]:
    made = await prepared(tmp_path, lab.base_url)
    await offer(made, "gemini-test", ProviderType.GEMINI, lab.base_url, PRICE)
    async with made.instance.serving():
        yield made


def says(lab: BatchLab, body: Any, status: int = 200, **headers: str) -> None:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    kind = headers.pop("content_type", "application/json")
    lab.instead = lambda method, path: web.Response(body=text, status=status, content_type=kind, headers=headers)


async def unpaid(client: Prepared, error: str, number: int = 1) -> None:
    found = await rows(client)
    assert [(row["usage_source"], row["charge"], row["error"]) for row in found] == [("none", "0.00", error)] * number
    assert await held(client) == 0 and client.verify()["ok"]


def gpt(client: Prepared) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=client.openai_url, api_key=client.key, max_retries=0)


async def chat(client: Prepared) -> Any:
    async with gpt(client) as sdk:
        messages: Any = [{"role": "user", "content": PROMPT}]
        return await sdk.chat.completions.create(model="gpt-test", max_tokens=20, messages=messages)


async def test_openai_sdk_on_an_error_with_status_200_raises_the_matching_exception(
    client: Prepared, lab: BatchLab
) -> None:
    says(lab, {"error": {"message": "slow down", "code": 429}})
    with pytest.raises(openai.RateLimitError, match="slow down"):
        await chat(client)
    await unpaid(client, "provider_rate_limited")


async def test_openai_sdk_on_an_error_in_a_choice_raises_the_matching_exception(
    client: Prepared, lab: BatchLab
) -> None:
    says(lab, {"choices": [{"finish_reason": "error", "error": {"message": "it broke", "code": 502}}]})
    with pytest.raises(openai.InternalServerError, match="it broke"):
        await chat(client)
    await unpaid(client, "provider_fault")


@pytest.mark.parametrize("body", [b"<html>wait</html>", b"", {"id": "x", "choices": None}])
async def test_openai_sdk_on_an_unreadable_response_raises_a_server_error(
    client: Prepared, lab: BatchLab, body: Any
) -> None:
    says(lab, body, content_type="text/html" if body == b"<html>wait</html>" else "application/json")
    with pytest.raises(openai.InternalServerError) as raised:
        await chat(client)
    assert (raised.value.status_code, raised.value.code) == (502, "provider_broke_off")
    await unpaid(client, "provider_no_answer")


async def test_openai_sdk_on_a_failed_response_gets_it_unchanged(client: Prepared, lab: BatchLab) -> None:
    failed = {"id": "resp_1", "object": "response", "status": "failed", "output": [], "usage": None}
    says(lab, {**failed, "error": {"code": "server_error", "message": "it broke"}})
    async with gpt(client) as sdk:
        found = await sdk.responses.create(model="gpt-test", input=PROMPT, max_output_tokens=20)
    assert found.status == "failed" and found.error is not None and found.error.message == "it broke"
    await unpaid(client, "provider_fault")


@pytest.mark.parametrize(
    "event", [b'data: {"error":{"message":"it broke","code":502}}\n\n', b'{"error":{"message":"it broke","code":502}}']
)
async def test_openai_sdk_on_an_error_in_a_stream_raises_it(client: Prepared, lab: BatchLab, event: bytes) -> None:
    says(lab, event, content_type="text/event-stream")
    messages: Any = [{"role": "user", "content": PROMPT}]
    async with gpt(client) as sdk:
        stream = await sdk.chat.completions.create(model="gpt-test", max_tokens=20, messages=messages, stream=True)
        with pytest.raises(openai.APIError, match="it broke"):
            async for _ in stream:
                pass
    await unpaid(client, "provider_fault")


async def test_anthropic_sdk_on_an_error_with_status_200_raises_the_matching_exception(
    client: Prepared, lab: BatchLab
) -> None:
    says(lab, {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}})
    question: Any = [{"role": "user", "content": PROMPT}]
    async with anthropic.AsyncAnthropic(base_url=client.url, api_key=client.key, max_retries=0) as sdk:
        with pytest.raises(anthropic.APIStatusError, match="busy") as raised:
            await sdk.messages.create(model="claude-test", max_tokens=20, messages=question)
    assert raised.value.status_code == 529
    await unpaid(client, "provider_overloaded")


async def test_google_sdk_on_an_error_with_status_200_raises_the_matching_exception(
    client: Prepared, lab: BatchLab
) -> None:
    says(lab, {"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}})
    sdk = genai.Client(api_key=client.key, http_options={"base_url": client.url, "retry_options": {"attempts": 1}})
    with pytest.raises(ServerError, match="busy"):
        await sdk.aio.models.generate_content(model="gemini-test", contents=PROMPT)
    await unpaid(client, "provider_overloaded")


# What is kept at a provider


async def kept(client: Prepared, path: str, method: str = "GET") -> tuple[int, str, str | None]:
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, f"{client.openai_url}{path}", headers=client.headers, allow_redirects=False) as answer,
    ):
        return answer.status, await answer.text(), answer.headers.get("location")


async def uploaded(client: Prepared) -> str:
    async with gpt(client) as sdk:
        return (await sdk.files.create(file=("in.jsonl", b"{}"), purpose="batch")).id


@pytest.mark.parametrize("path", ["", "/content"])
async def test_file_redirect_of_the_provider_is_refused_and_not_passed_on(
    client: Prepared, lab: BatchLab, path: str
) -> None:
    name = await uploaded(client)
    says(lab, b"moved to the account", status=302, location="https://storage.example/account")
    status, body, location = await kept(client, f"/files/{name}{path}")
    assert (status, location) == (502, None) and json.loads(body)["error"]["code"] == "provider_refused"
    assert "account" not in body


async def test_file_whose_deletion_failed_remains_the_user_s(client: Prepared, lab: BatchLab) -> None:
    name = await uploaded(client)
    says(lab, {"error": {"message": "busy", "code": 503}})
    assert (await kept(client, f"/files/{name}", "DELETE"))[0] == 503
    says(lab, b"<html>")
    assert (await kept(client, f"/files/{name}"))[0] == 502
    lab.instead = lambda method, path: None
    assert (await kept(client, f"/files/{name}"))[0] == 200


async def test_batch_that_failed_at_the_provider_is_shown_as_failed(client: Prepared, lab: BatchLab) -> None:
    question = {"model": "gpt-test", "max_tokens": 20, "messages": [{"role": "user", "content": "hello"}]}
    line = {"custom_id": "one", "method": "POST", "url": "/v1/chat/completions", "body": question}
    async with gpt(client) as sdk:
        file = await sdk.files.create(file=("in.jsonl", json.dumps(line).encode()), purpose="batch")
        batch = await sdk.batches.create(
            input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h"
        )
        lab.batches[batch.id] |= {"status": "failed", "errors": {"object": "list", "data": []}}
        assert (await sdk.batches.retrieve(batch.id)).status == "failed"


# What the provider has, and the books have not


def break_books(client: Prepared, table: str) -> None:
    """Nothing more is written into this table."""
    [path] = client.instance.data_dir.glob("*.db")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            f"CREATE TRIGGER broken BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'it is broken'); END"
        )
        connection.commit()


async def test_batch_that_cannot_be_stored_is_made_once_and_cancelled(client: Prepared, lab: BatchLab) -> None:
    question: Any = {"model": "claude-test", "max_tokens": 20, "messages": [{"role": "user", "content": "hello"}]}
    break_books(client, "batches")
    async with anthropic.AsyncAnthropic(base_url=client.url, api_key=client.key, max_retries=2) as sdk:
        with pytest.raises(anthropic.APIStatusError, match="was cancelled") as raised:
            await sdk.messages.batches.create(requests=[{"custom_id": "one", "params": question}])
    assert (raised.value.status_code, raised.value.response.headers["x-should-retry"]) == (503, "false")
    [made] = lab.batches.values()
    assert made["processing_status"] == "cancelling"
    assert [row["usage_source"] for row in await rows(client)] == ["interrupted"] and await held(client) == 0


async def test_file_that_cannot_be_stored_is_deleted_at_the_provider(client: Prepared, lab: BatchLab) -> None:
    break_books(client, "objects")
    with pytest.raises(openai.InternalServerError):
        await uploaded(client)
    assert lab.files == {} and ("POST", "/files") in lab.seen

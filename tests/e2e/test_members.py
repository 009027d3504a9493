"""Members of unknown cost, other modes than the priced one, and another body than the one that was read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from support.daemon import Prepared, prepared
from support.provider import FakeProvider, fake

from softix_proxy.domain.access.keys import KeyLimits

CHAT = "/v1/chat/completions"
BODY = {"model": "gpt-test", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 50}
HOLD_OF_THE_CONTEXT_USD = 0.1
"""100,000 tokens of input at $1 a million."""


@pytest.fixture
async def client(tmp_path: Path, fake_provider: FakeProvider) -> AsyncIterator[Prepared]:
    made = await prepared(tmp_path, fake_provider.base_url)
    async with made.instance.serving():
        yield made


async def send(client: Prepared, body: Any, path: str = CHAT, **headers: str) -> tuple[int, dict[str, Any]]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"content-type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{client.url}{path}", data=data, headers={**client.headers, **headers}) as answer,
    ):
        return answer.status, await answer.json()


async def metric(client: Prepared, name: str) -> str:
    async with aiohttp.ClientSession() as session, session.get(f"{client.url}/metrics") as answer:
        return "\n".join(line for line in (await answer.text()).splitlines() if line.startswith(name))


async def test_unknown_member_passes_and_widens_the_hold_and_is_counted_without_its_name(
    client: Prepared, fake_provider: FakeProvider
) -> None:
    held = []
    for number, body in enumerate((BODY, {**BODY, "wombat": "canary"})):
        asking = asyncio.create_task(send(client, body, x_fake=fake(gate=f"g{number}")["x-fake"]))
        await fake_provider.waiting(f"g{number}")
        held.append(float(client.balance()["held"]))
        await fake_provider.open(f"g{number}")
        assert (await asking)[0] == 200
    assert held[0] < HOLD_OF_THE_CONTEXT_USD <= held[1]
    told = await metric(client, "softix_unknown_members")
    assert 'softix_unknown_members_total{endpoint="chat_completions"} 1.0' in told
    assert "wombat" not in told and "wombat" not in client.instance.log_text()


async def test_rule_of_provider_and_key_decides_about_unknown_members(
    client: Prepared, fake_provider: FakeProvider
) -> None:
    """The fake provider says that it refuses the member, if it gets it."""
    softix, refusing = client.instance, fake(refuses="wombat")["x-fake"]
    asked = {**BODY, "wombat": 1}
    assert (await send(client, asked, x_fake=refusing))[0] == 422
    softix.cli("providers", "update", "chat-lab", "--unknown-members", "strip")
    assert softix.cli("providers", "show", "chat-lab")["unknown_members"] == "strip"
    assert (await send(client, asked, x_fake=refusing))[0] == 200
    softix.cli("keys", "update", client.key_id, "--unknown-members", "refuse")
    status, refused = await send(client, asked)
    assert status == 400 and "1: 4" in refused["error"]["message"] and "wombat" not in str(refused)
    command = refused["error"]["message"].partition("softix ")[2].split()
    softix.cli(*command)
    assert (await send(client, asked, x_fake=refusing))[0] == 422, "the key's rule comes first"
    softix.cli("keys", "update", client.key_id, "--unknown-members", "none")
    assert (await send(client, asked, x_fake=refusing))[0] == 200


async def test_setting_refuses_unknown_members_for_all(tmp_path: Path, fake_provider: FakeProvider) -> None:
    made = await prepared(tmp_path, fake_provider.base_url)
    async with made.instance.serving(SOFTIX_RELAY_UNKNOWN_MEMBERS="refuse"):
        assert (await send(made, BODY))[0] == 200
        assert (await send(made, {**BODY, "wombat": 1}))[0] == 400


@pytest.mark.parametrize("charset", ["utf-7", "utf-16", "UTF-16LE", "'utf-7'", "iso-8859-1"])
async def test_body_in_another_charset_is_refused_and_reaches_no_provider(
    client: Prepared, fake_provider: FakeProvider, charset: str
) -> None:
    for path in (CHAT, "/v1/messages"):
        status, told = await send(client, BODY, path, content_type=f"application/json; charset={charset}")
        assert status == 415 and ("type" in told) is (path != CHAT)
    assert await fake_provider.requests() == []


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "text/plain", "application/x-www-form-urlencoded"])
async def test_provider_gets_softixs_own_content_type(client: Prepared, fake_provider: FakeProvider, kind: str) -> None:
    assert (await send(client, BODY, content_type=kind))[0] == 200
    [asked] = await fake_provider.requests()
    assert [value for name, value in asked["headers"] if name.lower() == "content-type"] == ["application/json"]


async def test_reads_count_against_the_rate_of_the_key(tmp_path: Path, fake_provider: FakeProvider) -> None:
    made = await prepared(tmp_path, fake_provider.base_url, limits=KeyLimits(rpm=6))
    async with made.instance.serving(), aiohttp.ClientSession() as session:
        statuses = []
        for path in ("models", "key", "files", "batches", "usage/req_1", "models/gpt-test", "models"):
            async with session.get(f"{made.openai_url}/{path}", headers=made.headers) as answer:
                statuses.append(answer.status)
        assert statuses == [200, 200, 200, 200, 404, 200, 429]
        assert (await send(made, BODY))[0] == 429


async def test_output_that_may_come_counts_for_tokens_a_minute_until_it_is_settled(
    tmp_path: Path, fake_provider: FakeProvider
) -> None:
    """The model may answer with 4,096 tokens; what was not used is given back."""
    made = await prepared(tmp_path, fake_provider.base_url, limits=KeyLimits(tpm=6000))
    body = {name: value for name, value in BODY.items() if name != "max_tokens"}
    async with made.instance.serving():
        first = asyncio.create_task(send(made, body, x_fake=fake(gate="open")["x-fake"]))
        await fake_provider.waiting("open")
        status, refused = await send(made, body)
        assert status == 429 and refused["error"]["code"] == "tokens_limited"
        await fake_provider.open("open")
        assert (await first)[0] == 200
        assert (await send(made, body))[0] == 200

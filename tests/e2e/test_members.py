"""Members of unknown cost, and another body than the one that was read."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from support.daemon import Prepared, prepared
from support.provider import FakeProvider, fake
from support.tenants import held, tenant

from softix_proxy.domain.access.keys import KeyLimits

CHAT = "/v1/chat/completions"
BODY = {"model": "gpt-test", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 50}
UNKNOWN = {**BODY, "wombat": "canary"}
HOLD_OF_THE_CONTEXT_PICO = 10**11
"""100,000 tokens of input at $1 a million."""


async def send(client: Prepared, body: Any, path: str = CHAT, **headers: str) -> tuple[int, dict[str, Any]]:
    headers = {"content-type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{client.url}{path}", data=json.dumps(body), headers={**client.headers, **headers}) as answer,
    ):
        return answer.status, await answer.json()


async def counted(client: Prepared) -> float:
    """How many unknown members of chats the metrics have counted, without their names."""
    async with aiohttp.ClientSession() as session, session.get(f"{client.url}/metrics") as answer:
        text = await answer.text()
    assert "wombat" not in text and "wombat" not in client.instance.log_text()
    name = 'softix_unknown_members_total{endpoint="chat_completions"} '
    return sum(float(line.removeprefix(name)) for line in text.splitlines() if line.startswith(name))


async def test_unknown_member_passes_and_widens_the_hold_and_is_counted_without_its_name(
    client: Prepared, fake_provider: FakeProvider
) -> None:
    before, holds = await counted(client), []
    for number, body in enumerate((BODY, UNKNOWN)):
        asking = asyncio.create_task(send(client, body, x_fake=fake(gate=f"g{number}")["x-fake"]))
        await fake_provider.waiting(f"g{number}")
        holds.append(await held(client))
        await fake_provider.open(f"g{number}")
        assert (await asking)[0] == 200
    assert holds[0] < HOLD_OF_THE_CONTEXT_PICO <= holds[1]
    assert await counted(client) == before + 1


async def test_rules_of_setting_provider_and_key_decide_about_unknown_members(
    tmp_path: Path, fake_provider: FakeProvider
) -> None:
    """The fake provider refuses the member if it gets it."""
    made = await prepared(tmp_path, fake_provider.base_url)
    softix, refusing = made.instance, fake(refuses="wombat")["x-fake"]
    async with softix.serving(SOFTIX_RELAY_UNKNOWN_MEMBERS="refuse"):
        assert (await send(made, BODY))[0] == 200
        assert (await send(made, UNKNOWN))[0] == 400
        softix.cli("providers", "update", "chat-lab", "--unknown-members", "strip")
        assert softix.cli("providers", "show", "chat-lab")["unknown_members"] == "strip"
        assert (await send(made, UNKNOWN, x_fake=refusing))[0] == 200
        softix.cli("keys", "update", made.key_id, "--unknown-members", "refuse")
        status, refused = await send(made, UNKNOWN)
        message = refused["error"]["message"]
        assert status == 400 and "counted from 1: 4." in message and "wombat" not in str(refused)
        softix.cli(*message.partition("softix ")[2].split())
        assert (await send(made, UNKNOWN, x_fake=refusing))[0] == 422, "the printed command lets it pass"
        softix.cli("keys", "update", made.key_id, "--unknown-members", "none")
        assert (await send(made, UNKNOWN, x_fake=refusing))[0] == 200
        assert await counted(made) == 5


@pytest.mark.parametrize("charset", ["utf-7", "utf-16", "UTF-16LE", "'utf-7'", "iso-8859-1"])
async def test_body_in_another_charset_is_refused_and_reaches_no_provider(
    client: Prepared, fake_provider: FakeProvider, charset: str
) -> None:
    for path, code in ((CHAT, "code"), ("/v1/messages", "type"), ("/v1beta/models/gpt-test:generateContent", "status")):
        status, told = await send(client, BODY, path, content_type=f"application/json; charset={charset}")
        assert status == 415 and code in told["error"]
    assert await fake_provider.requests() == []


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "text/plain", "application/x-www-form-urlencoded"])
async def test_provider_gets_the_content_type_that_softix_read_by(
    client: Prepared, fake_provider: FakeProvider, kind: str
) -> None:
    assert (await send(client, BODY, content_type=kind))[0] == 200
    [asked] = await fake_provider.requests()
    assert [value for name, value in asked["headers"] if name.lower() == "content-type"] == ["application/json"]


async def test_reads_count_against_the_rate_of_the_key(shared_daemon: Prepared, fake_provider: FakeProvider) -> None:
    client = await tenant(shared_daemon, limits=KeyLimits(rpm=6))
    statuses = []
    async with aiohttp.ClientSession() as session:
        for path in ("models", "key", "files", "batches", "usage/req_1", "models/gpt-test", "models"):
            async with session.get(f"{client.openai_url}/{path}", headers=client.headers) as answer:
                statuses.append(answer.status)
    assert statuses == [200, 200, 200, 200, 404, 200, 429]
    assert (await send(client, BODY))[0] == 429


async def test_output_that_may_come_counts_for_tokens_a_minute_until_it_is_settled(
    shared_daemon: Prepared, fake_provider: FakeProvider
) -> None:
    """The model may answer with 4,096 tokens; what was not used is given back."""
    client = await tenant(shared_daemon, limits=KeyLimits(tpm=6000))
    body = {name: value for name, value in BODY.items() if name != "max_tokens"}
    first = asyncio.create_task(send(client, body, x_fake=fake(gate="open")["x-fake"]))
    await fake_provider.waiting("open")
    status, refused = await send(client, body)
    assert status == 429 and refused["error"]["code"] == "tokens_limited"
    await fake_provider.open("open")
    assert (await first)[0] == 200
    assert (await send(client, body))[0] == 200

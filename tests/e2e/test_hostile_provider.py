"""Never another's answer: whatever a provider sends on its connections, each caller gets only what is for it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from support.daemon import Prepared, prepared
from support.hostile import HostileProvider

SURPLUS = ("surplus", "surplus-later", "surplus-bytes", "timeout-408")
ROUNDS = 20


@pytest.fixture
async def client(tmp_path: Path, hostile_provider: HostileProvider) -> AsyncIterator[Prepared]:
    names = tuple(hostile_provider.model(mode) for mode in hostile_provider.modes)
    made = await prepared(tmp_path, hostile_provider.base_url, chat_models=names, message_models=())
    async with made.instance.serving(SOFTIX_UPSTREAM_FIRST_BYTE_TIMEOUT_S="20", SOFTIX_UPSTREAM_IDLE_TIMEOUT_S="20"):
        yield made


async def ask(session: aiohttp.ClientSession, client: Prepared, mode: str, test_id: str) -> tuple[int, str]:
    """(Status, what the answer says)."""
    body = {"model": f"hostile.{mode}", "messages": [{"role": "user", "content": "Whose is it?"}]}
    headers = {**client.headers, "x-test-id": test_id}
    try:
        async with session.post(f"{client.openai_url}/chat/completions", json=body, headers=headers) as answer:
            return answer.status, await answer.text()
    except aiohttp.ClientError:
        return 0, ""


def check(status: int, text: str, test_id: str) -> None:
    """Its own answer, or softix's own error; not a byte of anything else."""
    assert "SURPLUS" not in text
    if text == "{}":  # the whole body of some modes that garble only the head
        return
    told: Any = json.loads(text) if text else {}
    if status == 200:
        assert told["choices"][0]["message"]["content"] == f"for {test_id}"
    else:
        assert status in (0, 502, 504) and (not told or told["error"]["code"].startswith("provider_"))


def second_key(client: Prepared) -> Prepared:
    """Of the same user."""
    made = client.instance.cli("keys", "create", "--user", client.user)
    return replace(client, key=made["key"], key_id=made["id"])


@pytest.mark.parametrize("mode", SURPLUS)
async def test_surplus_bytes_on_an_idle_connection_reach_no_other_request(
    client: Prepared, hostile_provider: HostileProvider, mode: str
) -> None:
    sent = (await hostile_provider.books())["surplus_sent"]
    async with aiohttp.ClientSession() as session:
        for number in range(ROUNDS):
            check(*await ask(session, client, mode, f"one-{number}"), f"one-{number}")
            if mode != "surplus-bytes":  # these come with the answer, and are not counted
                sent += 1
                await hostile_provider.books(sent)
            status, text = await ask(session, client, "plain", f"two-{number}")
            assert status == 200
            check(status, text, f"two-{number}")
    assert client.verify()["ok"]


async def test_hostile_responses_of_every_mode_affect_only_their_own_requests(
    client: Prepared, hostile_provider: HostileProvider
) -> None:
    """All of them at once, among good requests on the same pool."""

    other = second_key(client)

    async def one(session: aiohttp.ClientSession, mode: str, number: int) -> None:
        await ask(session, client, mode, f"{mode}-{number}")
        test_id = f"after-{mode}-{number}"
        status, text = await ask(session, other, "plain", test_id)
        assert status == 200 and test_id in text and "SURPLUS" not in text

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await asyncio.gather(*(one(session, mode, number) for mode in hostile_provider.modes for number in range(4)))
    balance = client.balance()
    assert balance["held"] == "0.00"
    assert client.verify()["ok"]


async def test_surplus_response_that_comes_late_reaches_no_other_key(
    client: Prepared, hostile_provider: HostileProvider
) -> None:
    """The next request is sent before it arrives, so that nothing tells the two apart but the connection."""
    other = second_key(client)
    async with aiohttp.ClientSession() as session:
        for number in range(ROUNDS):
            check(*await ask(session, client, "surplus-later", f"one-{number}"), f"one-{number}")
            status, text = await ask(session, other, "slow-head", f"two-{number}")
            assert status == 200 and f"for two-{number}" in text


async def test_response_after_a_disconnect_reaches_no_other_request(
    client: Prepared, hostile_provider: HostileProvider
) -> None:
    async with aiohttp.ClientSession() as session:
        for number in range(ROUNDS):
            leaving = asyncio.create_task(ask(session, client, "after-hang-up", f"gone-{number}"))
            status, text = await ask(session, client, "plain", f"stays-{number}")
            leaving.cancel()
            check(status, text, f"stays-{number}")
            status, text = await ask(session, client, "plain", f"next-{number}")
            assert status == 200
            check(status, text, f"next-{number}")

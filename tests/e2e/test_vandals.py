"""Somebody without a key, or with a worthless one, against the real daemon, while a user is served."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from support.daemon import Prepared, prepared
from support.provider import FakeProvider, fake
from support.tenants import rows
from support.wire import CHAT, begin_stream, connect, post

PLACES, CONNECTIONS, BAD_KEYS = 256, 400, 300


@pytest.fixture
async def client(tmp_path: Path, fake_provider: FakeProvider) -> AsyncIterator[Prepared]:
    made = await prepared(tmp_path, fake_provider.base_url)
    yield made
    await made.instance.kill()


async def test_thousands_of_idle_connections_neither_cut_a_stream_nor_keep_a_user_out(
    client: Prepared, fake_provider: FakeProvider
) -> None:
    await client.instance.start(SOFTIX_SERVER_MAX_CONNECTIONS=str(PLACES))
    reader, writer = await begin_stream(client, CHAT, fake(gate="on", gate_after=2))
    await reader.readuntil(b"data:")
    attack = [(await connect(client))[1] for _ in range(CONNECTIONS)]
    for _ in range(5):
        async with aiohttp.ClientSession() as session:  # over a connection of its own
            assert (await post(session, client.url, CHAT, client.headers)).status == 200
    await fake_provider.open("on")
    await reader.readuntil(b"[DONE]")
    for each in (*attack, writer):
        each.close()
    assert await client.instance.stop() == 0
    assert [row["status_code"] for row in await rows(client)] == [200] * 6


async def test_guessing_of_keys_is_slowed_down_and_a_valid_key_from_the_same_address_is_served(
    client: Prepared, session: aiohttp.ClientSession
) -> None:
    await client.instance.start()
    seen: list[tuple[int, str]] = []
    for number in range(BAD_KEYS):
        answered = await post(session, client.url, CHAT, {"authorization": f"Bearer sx_live_{number}"})
        seen.append((answered.status, answered.headers.get("retry-after", "")))
        if number % 100 == 0:
            assert (await post(session, client.url, CHAT, client.headers)).status == 200
    assert {status for status, _ in seen[:30]} == {401}
    refused = [wait for status, wait in seen if status == 429]
    assert len(refused) > BAD_KEYS * 0.7 and set(refused) <= {"1", "2"}
    assert await client.instance.stop() == 0

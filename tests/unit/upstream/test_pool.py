import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
from support.hostile import HostileProvider

from softix_proxy.upstream.pool import CleanPool

SURPLUS = ("surplus", "surplus-later", "surplus-bytes", "timeout-408")


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(connector=CleanPool(limit=0)) as session:
        yield session


async def ask(session: aiohttp.ClientSession, provider: HostileProvider, mode: str, test_id: str) -> bytes:
    headers = {"x-hostile": mode, "x-test-id": test_id}
    async with session.post(f"{provider.base_url}/v1/chat/completions", data=b"{}", headers=headers) as answer:
        return await answer.read()


@pytest.mark.parametrize("mode", SURPLUS)
async def test_a_surplus_answer_is_nobodys(
    session: aiohttp.ClientSession, hostile_provider: HostileProvider, mode: str
) -> None:
    sent = (await hostile_provider.books())["surplus_sent"]
    for number in range(1, 6):
        bad = await ask(session, hostile_provider, mode, f"bad-{number}")
        if mode in ("surplus-later", "timeout-408"):
            await hostile_provider.books(sent + number)
        good = await ask(session, hostile_provider, "plain", f"good-{number}")
        assert f"bad-{number}".encode() in bad and b"SURPLUS" not in bad
        assert f"good-{number}".encode() in good and json.loads(good)


async def test_a_clean_connection_is_used_again(
    session: aiohttp.ClientSession, hostile_provider: HostileProvider
) -> None:
    await ask(session, hostile_provider, "plain", "first")
    connector = session.connector
    assert isinstance(connector, CleanPool)
    [idle] = connector._conns.values()
    protocol = idle[0][0]
    await ask(session, hostile_provider, "plain", "second")
    [idle] = connector._conns.values()
    assert [entry[0] for entry in idle] == [protocol]

"""However many ask at once, no more is spent than there is."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from support.daemon import Prepared, prepared
from support.provider import FakeProvider, fake

AT_ONCE, AFFORDABLE = 64, 10
ASK = {"model": "gpt-test", "max_tokens": 1000, "messages": [{"role": "user", "content": "How much?"}]}


async def ask(session: aiohttp.ClientSession, client: Prepared, **headers: str) -> tuple[int, dict[str, Any]]:
    url = f"{client.openai_url}/chat/completions"
    async with session.post(url, json=ASK, headers={**client.headers, **headers}) as answer:
        return answer.status, await answer.json()


async def price_of_one(session: aiohttp.ClientSession, client: Prepared) -> str:
    """What is held for one such request: an empty wallet's refusal tells."""
    status, body = await ask(session, client)
    assert status == 429 and body["error"]["code"] == "insufficient_balance"
    assert body["error"]["available"] == "0.00"
    return str(body["error"]["needed"])


@pytest.fixture
async def client(tmp_path: Path, fake_provider: FakeProvider) -> Prepared:
    return await prepared(tmp_path, fake_provider.base_url, balance="")


def times(amount: str, number: int) -> str:
    whole, _, decimals = amount.partition(".")
    pico = int(whole + decimals.ljust(12, "0")) * number
    return f"{pico // 10**12}.{pico % 10**12:012d}"


async def test_concurrent_requests_are_admitted_as_far_as_the_balance_pays(
    client: Prepared, fake_provider: FakeProvider
) -> None:
    async with client.instance.serving(), aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        needed = await price_of_one(session, client)
        client.instance.cli("balance", "set", client.user_id, times(needed, AFFORDABLE))
        asked = [asyncio.create_task(ask(session, client, **fake(gate="all"))) for _ in range(AT_ONCE)]
        await fake_provider.waiting("all", AFFORDABLE)
        refused, waiting = await asyncio.wait(asked, return_when=asyncio.ALL_COMPLETED, timeout=5)
        assert len(refused) == AT_ONCE - AFFORDABLE and len(waiting) == AFFORDABLE
        assert {task.result()[0] for task in refused} == {429}
        during = client.balance()
        assert during["available"] == "0.00" and during["held"] == during["balance"]
        await fake_provider.open("all")
        passed = await asyncio.gather(*waiting)
        assert [status for status, _ in passed] == [200] * AFFORDABLE
    assert (await fake_provider.totals())["requests"] == AFFORDABLE
    after = client.balance()
    assert after["held"] == "0.00" and not after["balance"].startswith("-")
    rows = client.usage()
    assert len(rows) == AFFORDABLE and {row["usage_source"] for row in rows} == {"provider"}
    assert client.verify()["ok"]


async def test_concurrent_requests_for_the_last_cents_never_overdraw_the_balance(
    client: Prepared, fake_provider: FakeProvider
) -> None:
    """Without gates: what one request gives back, the next may take, until nothing passes any more."""
    async with client.instance.serving(), aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        needed = await price_of_one(session, client)
        client.instance.cli("balance", "set", client.user_id, times(needed, 2))
        before_pico = pico(client.balance()["balance"])
        statuses = [status for status, _ in await asyncio.gather(*(ask(session, client) for _ in range(AT_ONCE)))]
    assert set(statuses) <= {200, 429} and 200 in statuses
    rows = client.usage()
    assert len(rows) == statuses.count(200) == (await fake_provider.totals())["requests"]
    after = client.balance()
    assert after["held"] == "0.00"
    assert pico(after["balance"]) == before_pico - sum(pico(row["charge"]) for row in rows) >= 0


async def test_request_without_an_output_limit_gets_one_that_the_balance_pays_for(
    client: Prepared, fake_provider: FakeProvider
) -> None:
    """The client set no limit and the balance is short: the affordable one is written into the request."""
    open_ended = {name: value for name, value in ASK.items() if name != "max_tokens"}
    async with client.instance.serving(), aiohttp.ClientSession() as session:
        client.instance.cli("balance", "set", client.user_id, "0.003")
        url = f"{client.openai_url}/chat/completions"
        async with session.post(url, json=open_ended, headers=client.headers) as answer:
            assert answer.status == 200
        async with session.post(url, json={**open_ended, "n": 2}, headers=client.headers) as answer:
            assert answer.status == 200
    one, two = (record["fields"]["max_tokens"] for record in await fake_provider.requests())
    assert 600 < two * 2 <= one < 1000


def pico(amount: str) -> int:
    whole, _, decimals = amount.partition(".")
    return int(whole + decimals.ljust(12, "0"))

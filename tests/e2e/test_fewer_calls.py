"""A request for hosted tools with a small balance: softix lowers the limit that it writes, and none of the client's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import anthropic
import openai
import pytest
from support.daemon import PRICE, Prepared, prepared
from support.keeping_lab import KeepingLab, keeping_lab
from support.tenants import held, offer, tenant

from softix_proxy.domain.catalog.providers import ProviderType

OFFERED = ("searcher", "claude-searcher")
PRICES = {**PRICE, "input": "1", "output": "2", "web_search": "10"}
"""A round reads at most 100,000 tokens, for $0.10. A search costs $0.01."""
SEARCH: Any = [{"type": "web_search_20250305", "name": "web_search"}]
ASK: Any = {"model": "claude-searcher", "max_tokens": 16, "messages": [{"role": "user", "content": "What is new?"}]}


@pytest.fixture
async def lab() -> AsyncIterator[KeepingLab]:
    async with keeping_lab() as lab:
        yield lab


@pytest.fixture
async def house(lab: KeepingLab, tmp_path: Path) -> AsyncIterator[Prepared]:
    made = await prepared(tmp_path, lab.base_url)
    await offer(made, "searcher", ProviderType.OPENAI_COMPATIBLE, lab.base_url, PRICES)
    await offer(made, "claude-searcher", ProviderType.ANTHROPIC, lab.base_url, PRICES)
    async with made.instance.serving():
        yield made


async def respond(client: Prepared, **more: Any) -> openai.types.responses.Response:
    async with openai.AsyncOpenAI(base_url=client.openai_url, api_key=client.key, max_retries=0) as sdk:
        return await sdk.responses.create(
            model="searcher", input="What is new?", tools=[{"type": "web_search"}], max_output_tokens=16, **more
        )


async def test_written_limit_on_calls_is_what_the_balance_affords(house: Prepared, lab: KeepingLab) -> None:
    for balance, calls in (("2.00", 10), ("0.50", 3), ("0.22", 1)):
        client = await tenant(house, balance=balance, offered=OFFERED)
        await respond(client)
        assert lab.seen[-1][1]["max_tool_calls"] == calls
        assert await held(client) == 0
        async with anthropic.AsyncAnthropic(base_url=client.url, api_key=client.key, max_retries=0) as sdk:
            await sdk.messages.create(**ASK, tools=SEARCH)
        [tool] = lab.seen[-1][1]["tools"]
        assert tool["max_uses"] == calls
    assert house.instance.run("ledger", "verify").code == 0


async def test_limit_on_calls_that_the_client_set_is_never_lowered(house: Prepared, lab: KeepingLab) -> None:
    client = await tenant(house, balance="0.50", offered=OFFERED)
    await respond(client, max_tool_calls=3)
    assert lab.seen[-1][1]["max_tool_calls"] == 3
    seen = len(lab.seen)
    with pytest.raises(openai.RateLimitError) as refused:
        await respond(client, max_tool_calls=10)
    assert refused.value.code == "insufficient_balance"
    async with anthropic.AsyncAnthropic(base_url=client.url, api_key=client.key, max_retries=0) as sdk:
        with pytest.raises(anthropic.RateLimitError):
            await sdk.messages.create(**ASK, tools=[{**SEARCH[0], "max_uses": 10}])
    assert len(lab.seen) == seen


async def test_request_that_affords_no_call_is_refused_with_what_one_needs(house: Prepared, lab: KeepingLab) -> None:
    client = await tenant(house, balance="0.15", offered=OFFERED)
    body = {"model": "searcher", "input": "x", "tools": [{"type": "web_search"}], "max_output_tokens": 16}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{client.openai_url}/responses", json=body, headers=client.headers) as answer,
    ):
        error = (await answer.json())["error"]
    assert (answer.status, error["code"], lab.seen) == (429, "insufficient_balance", [])
    assert 0.21 < float(error["needed"]) < 0.2101


async def test_calls_are_lowered_only_if_the_shortest_output_does_not_suffice(house: Prepared, lab: KeepingLab) -> None:
    client = await tenant(house, balance="0.212", offered=OFFERED)
    async with openai.AsyncOpenAI(base_url=client.openai_url, api_key=client.key, max_retries=0) as sdk:
        await sdk.responses.create(model="searcher", input="What is new?", tools=[{"type": "web_search"}])
    sent = lab.seen[-1][1]
    assert sent["max_tool_calls"] == 1 and 16 <= sent["max_output_tokens"] <= 1000

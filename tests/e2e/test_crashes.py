"""Kill the daemon at random moments under load: nothing is lost, nothing is billed twice, nothing blocks."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from support.daemon import Prepared, prepared
from support.provider import FakeProvider, fake

CYCLES = 50
CLIENTS = 6
LONGEST_S = 0.35
CHAT = {"model": "gpt-test", "max_tokens": 50, "messages": [{"role": "user", "content": "Go on."}]}
MESSAGE = {**CHAT, "model": "claude-test"}


@dataclass
class Load:
    """Clients that go on until the daemon is gone, and what they got."""

    prepared: Prepared
    completed: list[str] = field(default_factory=list)
    """Ids of requests whose answer came to its end."""
    refused: int = 0

    async def run(self, number: int) -> None:
        async with aiohttp.ClientSession() as session:
            while True:
                try:
                    await self._one(session, random.choice((CHAT, MESSAGE)), stream=random.random() < 0.5)
                except (aiohttp.ClientError, ConnectionError):
                    return

    async def _one(self, session: aiohttp.ClientSession, body: dict[str, Any], *, stream: bool) -> None:
        path = "chat/completions" if body is CHAT else "messages"
        headers = {**self.prepared.headers, **fake(slow=random.choice((0, 1, 5)))}
        url = f"{self.prepared.openai_url}/{path}"
        async with session.post(url, json={**body, "stream": stream}, headers=headers) as answer:
            text = await answer.text()
            if answer.status != 200:
                self.refused += 1
                return
        if is_whole(text, stream=stream):
            self.completed.append(answer.headers["x-softix-request-id"])


def is_whole(text: str, *, stream: bool) -> bool:
    if stream:
        return "data: [DONE]" in text or '"type":"message_stop"' in text.replace(" ", "")
    return "usage" in json.loads(text)


async def run_until_killed(client: Prepared) -> Load:
    load = Load(client)
    await client.instance.start()
    tasks = [asyncio.create_task(load.run(number)) for number in range(CLIENTS)]
    await asyncio.sleep(random.uniform(0.02, LONGEST_S))  # the moment is what is tried out here
    await client.instance.kill()
    await asyncio.gather(*tasks)
    return load


async def rows_of(client: Prepared) -> list[tuple[str, str, int]]:
    """(Request id, source, charge in pico-USD) of every usage row."""
    async with client.instance.opened() as opened:
        from softix_proxy.domain.core.ids import format_request_id
        from softix_proxy.domain.metering.usage import UsageFilter

        rows = await opened.storage.reading().usage.after(UsageFilter(), 0, 1_000_000)
        return [(format_request_id(row.request_id), row.source.value, row.charge_pico) for row in rows]


async def violations(client: Prepared) -> list[Any]:
    async with client.instance.opened() as opened:
        from softix_proxy.operations.ledger import ledger

        return list((await ledger.verify(opened.storage)).violations)


async def test_daemon_killed_fifty_times_loses_nothing_and_bills_nothing_twice(
    tmp_path: Path, fake_provider: FakeProvider
) -> None:
    client = await prepared(tmp_path, fake_provider.base_url, balance="1000.00")
    completed: list[str] = []
    for _ in range(CYCLES):
        load = await run_until_killed(client)
        assert load.refused == 0
        completed += load.completed
        assert await violations(client) == []
    await client.instance.start()  # closes what the last one left open
    await client.instance.stop()
    assert await violations(client) == []
    rows = await rows_of(client)
    assert max(Counter(number for number, *_ in rows).values()) == 1
    exact = {number for number, source, charge in rows if source == "provider" and charge > 0}
    assert len(completed) > CYCLES and set(completed) <= exact
    seen = (await fake_provider.totals())["requests"]
    interrupted = sum(source == "interrupted" for _, source, _ in rows)
    assert {source for _, source, _ in rows} == {"provider", "interrupted"}
    assert len(exact) <= seen <= len(rows) and interrupted > 0
    balance = client.balance()
    assert balance["held"] == "0.00"
    assert client.verify()["open_holds"] == 0


async def test_daemon_without_kills_has_the_same_sums_as_the_provider(
    tmp_path: Path, fake_provider: FakeProvider
) -> None:
    client = await prepared(tmp_path, fake_provider.base_url, balance="1000.00")
    load = Load(client)
    async with client.instance.serving(), aiohttp.ClientSession() as session:

        async def some() -> None:
            for number in range(25):
                await load._one(session, CHAT if number % 2 else MESSAGE, stream=number % 3 == 0)

        await asyncio.gather(*(some() for _ in range(8)))
    assert load.refused == 0 and len(set(load.completed)) == 200
    rows = client.usage()
    totals = await fake_provider.totals()
    assert len(rows) == totals["requests"] == totals["finished"] == 200
    assert sum(row["input_tokens"] for row in rows) == totals["input_tokens"]
    assert sum(row["output_tokens"] for row in rows) == totals["output_tokens"]
    assert {row["usage_source"] for row in rows} == {"provider"}
    assert {row["request_id"] for row in rows} == set(load.completed)

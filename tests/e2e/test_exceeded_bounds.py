"""A provider asks more than was held: what the balance pays, what the operator hears, what is held from then on."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from support.daemon import Prepared, prepared
from support.provider import FakeProvider, fake

ASK = {"model": "gpt-test", "max_tokens": 10, "messages": [{"role": "user", "content": "How much?"}]}
TEMPLATE = {**ASK, "chat_template": "{% for i in range(9) %}x{% endfor %}"}
MICRO = 10**6
READ = 50_000
CHARGE_PICO = (READ + 2 * 10) * MICRO
"""Of a report of that input, at a dollar a million, and of the ten tokens of output that were asked for."""


@pytest.fixture
async def client(tmp_path: Path, fake_provider: FakeProvider) -> Prepared:
    return await prepared(tmp_path, fake_provider.base_url, balance="5.00")


def pico(amount: str) -> int:
    whole, _, decimals = amount.removeprefix("-").partition(".")
    return int(whole + decimals.ljust(12, "0")) * (-1 if amount.startswith("-") else 1)


async def ask(client: Prepared, body: dict[str, Any], **directives: Any) -> tuple[int, dict[str, Any]]:
    url = f"{client.openai_url}/chat/completions"
    headers = {**client.headers, **fake(**directives)}
    async with aiohttp.ClientSession() as session, session.post(url, json=body, headers=headers) as answer:
        return answer.status, await answer.json()


def is_covered(hold_pico: int) -> bool:
    """The factor is rounded up to a thousandth of the bound."""
    return CHARGE_PICO <= hold_pico < CHARGE_PICO * 101 // 100


def refused_for(body: dict[str, Any]) -> int:
    assert body["error"]["code"] == "insufficient_balance"
    return pico(body["error"]["needed"])


async def test_request_above_its_hold_is_charged_and_the_next_is_held_for_more_after_a_restart_too(
    client: Prepared, fake_provider: FakeProvider
) -> None:
    async with client.instance.serving():
        client.instance.cli("balance", "set", client.user_id, "0.000001")
        status, body = await ask(client, ASK)
        narrow_pico = refused_for(body)
        assert status == 429 and narrow_pico < CHARGE_PICO
        client.instance.cli("balance", "set", client.user_id, "5.00")
        assert (await ask(client, ASK, tokens=f"{READ},10"))[0] == 200
        [row] = client.usage()
        assert (pico(row["charge"]), row["note"]) == (CHARGE_PICO, "above_hold")
        [bound] = client.instance.cli("bounds", "list")
        assert (bound["model"], bound["member"], bound["times"]) == ("gpt-test", None, 1)
        assert pico(bound["added"]) == CHARGE_PICO - narrow_pico and bound["uncharged"] == "0.00"
        assert "cost more than was held" in client.instance.log_text()
    async with client.instance.serving():
        client.instance.cli("balance", "set", client.user_id, "0.000001")
        assert is_covered(refused_for((await ask(client, ASK))[1]))
        client.instance.cli("bounds", "reset", "gpt-test")
        assert refused_for((await ask(client, ASK))[1]) == narrow_pico
    told = client.instance.cli("usage", "explain", row["request_id"])
    assert pico(told["above_hold"]) == CHARGE_PICO - narrow_pico and told["agrees"]
    assert client.verify()["ok"]


async def test_excess_of_a_request_with_a_template_is_held_for_with_templates_only(
    client: Prepared, fake_provider: FakeProvider
) -> None:
    """Its context is held for. If a provider reports more than that, only requests with templates get dearer."""
    async with client.instance.serving():
        client.instance.cli("models", "update", "gpt-test", "--context", "1000")
        assert (await ask(client, TEMPLATE, tokens=f"{READ},10"))[0] == 200
        [bound] = client.instance.cli("bounds", "list")
        assert bound["member"] == "chat_template"
        client.instance.cli("balance", "set", client.user_id, "0.000001")
        assert is_covered(refused_for((await ask(client, TEMPLATE))[1]))
        assert refused_for((await ask(client, ASK))[1]) < CHARGE_PICO // 10


async def test_concurrent_requests_above_their_holds_take_the_balance_to_zero_and_no_further(
    client: Prepared, fake_provider: FakeProvider
) -> None:
    async with client.instance.serving():
        client.instance.cli("balance", "set", client.user_id, "0.000001")
        narrow_pico = refused_for((await ask(client, ASK))[1])
        client.instance.cli("balance", "set", client.user_id, f"0.{narrow_pico * 4 + 30_000 * MICRO:012d}")
        directives = {"tokens": f"{READ},10", "gate": "all"}
        asked = [asyncio.create_task(ask(client, ASK, **directives)) for _ in range(4)]
        await fake_provider.waiting("all", 4)
        await fake_provider.open("all")
        assert [status for status, _ in await asyncio.gather(*asked)] == [200] * 4
    after = client.balance()
    assert (after["balance"], after["held"]) == ("0.00", "0.00")
    charges = [pico(row["charge"]) for row in client.usage()]
    assert sum(charges) == narrow_pico * 4 + 30_000 * MICRO and min(charges) >= narrow_pico
    found = client.instance.run("--json", "doctor", "--offline")
    assert found.code == 1 and "gpt-test cost more than was held" in found.stdout
    assert client.verify()["ok"]

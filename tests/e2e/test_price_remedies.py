"""A refusal for want of a price prints a command; who runs it is served, and so is all that was served before."""

from __future__ import annotations

import re
import shlex
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from support.daemon import Prepared, prepared
from support.provider import FakeProvider

GEMINI = "gemini/gemini-2.5-flash"
PLAIN = {
    "contents": [{"role": "user", "parts": [{"text": "Where am I?"}]}],
    "generationConfig": {"maxOutputTokens": 50},
}
WITH_MAPS = {**PLAIN, "tools": [{"googleMaps": {}}]}
CHAT = {"model": "bare", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 50}


@pytest.fixture
async def client(tmp_path: Path, fake_provider: FakeProvider) -> AsyncIterator[Prepared]:
    made = await prepared(tmp_path, fake_provider.base_url)
    base_url = ("--base-url", fake_provider.base_url, "--key-stdin")
    made.instance.cli("providers", "add", "gemini", "--models", "gemini-2.5-flash", *base_url, stdin="sk-of-a-lab")
    made.instance.cli("models", "add", "bare", "--provider", "chat-lab", "--max-output", "100")
    async with made.instance.serving():
        yield made


async def send(client: Prepared, path: str, body: dict[str, Any]) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{client.url}{path}", json=body, headers=client.headers) as answer,
    ):
        return answer.status, await answer.text()


async def follow(client: Prepared, path: str, body: dict[str, Any]) -> str:
    """Refused, does what the refusal says, and is served; returns the command."""
    status, text = await send(client, path, body)
    assert status == 400, text
    [command] = re.findall(r"softix (prices set [\w./:@+ -]*[\w])", text)
    client.instance.cli(*shlex.split(command))
    status, text = await send(client, path, body)
    assert status == 200, text
    return str(command)


MAPS = "/v1beta/models/gemini-2.5-flash:generateContent"


async def test_printed_command_for_an_unpriced_tool_adds_its_price_and_keeps_all_others(client: Prepared) -> None:
    before = client.instance.cli("prices", "show", GEMINI)
    assert await follow(client, MAPS, WITH_MAPS) == f"prices set {GEMINI} --tool-call 10"
    assert (await send(client, MAPS, PLAIN))[0] == 200
    after = client.instance.cli("prices", "show", GEMINI)
    for old, new in zip(before["bands"], after["bands"], strict=True):
        assert new == {**old, "prices": {**old["prices"], "tool_call": "10"}}, "in each tier, and nothing else"


async def test_printed_command_for_a_customer_s_own_price_sets_that_price(client: Prepared) -> None:
    client.instance.cli("prices", "set", GEMINI, "--input", "1", "--output", "2", "--user", "ada")
    command = await follow(client, MAPS, WITH_MAPS)
    assert command == f"prices set {GEMINI} --tool-call 10 --user {client.user_id}"
    assert (await send(client, MAPS, PLAIN))[0] == 200


async def test_printed_command_for_a_model_without_any_price_makes_it_served(client: Prepared) -> None:
    command = await follow(client, "/v1/chat/completions", CHAT)
    assert command == "prices set chat-lab/bare --input 0.15 --output 0.60"


async def test_commands_printed_by_prices_show_and_missing_make_the_model_served(client: Prepared) -> None:
    """`prices show` and `prices missing`, each for a model of its own."""
    softix = client.instance
    for name, arguments in {"one": ("prices", "show", "one"), "two": ("prices", "missing")}.items():
        softix.cli("models", "add", name, "--provider", "chat-lab", "--max-output", "100")
        if name == "two":
            softix.cli("prices", "set", "bare", "--free")
        told = softix.run(*arguments)
        [command] = re.findall(r"softix (prices set .*?)(?: \(or --free\))?$", told.stderr, re.MULTILINE)
        softix.cli(*shlex.split(command))
        assert (await send(client, "/v1/chat/completions", {**CHAT, "model": name}))[0] == 200


PRICED = {**CHAT, "model": "gpt-test"}


async def test_printed_command_for_a_requested_tier_sets_its_price_and_no_other(client: Prepared) -> None:
    expected = {"standard": {"input": "1.00", "output": "2.00"}}
    for tier in ("priority", "fast", "performance", "scale"):
        command = await follow(client, "/v1/chat/completions", {**PRICED, "service_tier": tier})
        assert command == f"prices set chat-lab/gpt-test --tier {tier} --input 0.15 --output 0.60"
        expected[tier] = {"input": "0.15", "output": "0.60"}
    bands = client.instance.cli("prices", "show", "gpt-test")["bands"]
    assert {band["service_tier"]: band["prices"] for band in bands} == expected
    for tier in ("flex", "batch", "default"):
        assert (await send(client, "/v1/chat/completions", {**PRICED, "service_tier": tier}))[0] == 200
    status, text = await send(client, "/v1/chat/completions", {**PRICED, "service_tier": "wombat"})
    assert status == 400 and "priority" in text and "wombat" not in text and "softix" not in text


async def test_printed_command_for_a_search_sets_the_fee_of_a_request(client: Prepared) -> None:
    command = await follow(client, "/v1/chat/completions", {**PRICED, "web_search_options": {}})
    assert command == "prices set chat-lab/gpt-test --request 0.001"
    [row] = client.usage()
    assert float(row["charge"]) > 0.001, "the fee is charged with every answer"


async def test_printed_command_for_a_model_that_searches_sets_the_fee_of_a_request(client: Prepared) -> None:
    named = ("--provider", "chat-lab", "--input", "1", "--output", "1", "--max-output", "100")
    client.instance.cli("models", "add", "sonar-pro", *named)
    command = await follow(client, "/v1/chat/completions", {**CHAT, "model": "sonar-pro"})
    assert command == "prices set chat-lab/sonar-pro --request 0.001"


async def test_printed_command_for_sound_sets_the_price_of_sound(client: Prepared) -> None:
    command = await follow(client, "/v1/chat/completions", {**PRICED, "modalities": ["text", "audio"]})
    assert command == "prices set chat-lab/gpt-test --audio-output 64"


async def test_printed_command_for_a_quality_of_images_sets_its_price(client: Prepared) -> None:
    client.instance.cli("models", "add", "paint", "--provider", "chat-lab", "--image", "0.02")
    body = {"model": "paint", "prompt": "a cat", "quality": "hd", "size": "1024x1792"}
    assert await follow(client, "/v1/images/generations", body) == (
        "prices set chat-lab/paint --tier hd/1024x1792 --image 0.04"
    )

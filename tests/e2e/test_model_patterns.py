"""All models of a provider that have a price: usable at once, listed as far as the key may use them, and never free."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from support.daemon import Prepared, prepared
from support.provider import FakeProvider

from softix_proxy.operations.catalog import catalogue

ASK = {"max_tokens": 100, "messages": [{"role": "user", "content": "Still there?"}]}
KNOWN = {model.name for model in catalogue.load().models("groq")}
PRICED = "llama-3.1-8b-instant"


@pytest.fixture
async def client(tmp_path: Path, fake_provider: FakeProvider) -> AsyncIterator[Prepared]:
    made = await prepared(tmp_path, fake_provider.base_url)
    base = ("--base-url", fake_provider.base_url, "--no-test")
    made.instance.cli("providers", "add", "groq", "--models", "gemma2-9b", "--key-env", "K", *base, K="sk-made-up")
    made.instance.cli("providers", "add", "router", "--type", "openai-compatible", *base)
    made.instance.cli("models", "add", "groq/secret", "--provider", "router", "--free")
    async with made.instance.serving():
        yield made


async def ask(client: Prepared, model: str, key: str = "") -> tuple[int, dict[str, Any]]:
    headers = {"authorization": f"Bearer {key or client.key}"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{client.openai_url}/chat/completions", json={**ASK, "model": model}, headers=headers) as answer,
    ):
        return answer.status, (await answer.json()).get("error", {})


async def listed(client: Prepared, key: str) -> set[str]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{client.openai_url}/models", headers={"authorization": f"Bearer {key}"}) as answer,
    ):
        return {model["id"] for model in (await answer.json())["data"]}


async def test_models_of_a_pattern_are_used_and_charged_from_the_next_request_on(client: Prepared) -> None:
    assert PRICED in KNOWN
    assert (await ask(client, f"groq/{PRICED}"))[0] == 404
    client.instance.cli("models", "add", "groq/*")
    assert (await ask(client, f"groq/{PRICED}"))[0] == 200
    [row] = client.usage()
    assert row["model"].endswith(PRICED) and float(row["charge"]) > 0
    assert await listed(client, client.key) >= KNOWN


async def test_model_of_a_pattern_without_a_price_is_refused_with_the_command_that_adds_it(client: Prepared) -> None:
    assert (await ask(client, "groq/brand-new"))[1]["code"] == "model_not_found"
    client.instance.cli("models", "add", "groq/*")
    status, error = await ask(client, "groq/brand-new")
    assert (status, error["code"]) == (400, "model_not_priced")
    assert "softix models add MODEL --provider groq" in error["message"] and "brand-new" not in error["message"]
    client.instance.cli("models", "add", "brand-new", "--provider", "groq", "--input", "1", "--output", "4")
    assert (await ask(client, "groq/brand-new"))[0] == 200
    client.instance.cli("models", "disable", "groq/*")
    assert (await ask(client, "groq/brand-new"))[1]["code"] == "model_not_found"
    assert (await ask(client, "groq/other"))[1]["code"] == "model_not_found"


async def test_pattern_of_a_provider_never_means_a_model_of_another_one(client: Prepared) -> None:
    """The router has a model whose own name is `groq/secret`, and it is free."""
    client.instance.cli("models", "add", "groq/*")
    assert (await ask(client, "groq/secret"))[1]["code"] == "model_not_priced"
    assert (await ask(client, "router/groq/secret"))[0] == 200
    narrow = client.instance.cli("keys", "create", "--user", client.user, "--models", "groq/*")["key"]
    assert await listed(client, narrow) == KNOWN
    assert (await ask(client, "router/groq/secret", narrow))[1]["code"] == "model_not_found"


async def test_key_sees_and_uses_only_its_own_models_of_a_pattern(client: Prepared) -> None:
    client.instance.cli("models", "add", "groq/*")
    narrow = client.instance.cli("keys", "create", "--user", client.user, "--models", "groq/llama*")["key"]
    assert await listed(client, narrow) == {name for name in KNOWN if name.startswith("llama")}
    assert (await ask(client, "groq/brand-new", narrow))[1]["code"] == "model_not_found"
    assert (await ask(client, "groq/llama-brand-new", narrow))[1]["code"] == "model_not_priced"

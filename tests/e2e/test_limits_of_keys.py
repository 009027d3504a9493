"""Caps with periods and raises, shares and limits by model: in force for the very next request, in every process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from support.daemon import Instance, Prepared, prepared
from support.faketime import FakeClock
from support.provider import FakeProvider

from softix_proxy.domain.core.clock import SystemClock, from_us

ASK = {"model": "gpt-test", "max_tokens": 100, "messages": [{"role": "user", "content": "Still there?"}]}
OK = (200, None)
YEAR = from_us(SystemClock().now_us()).year + 1
"""All that was prepared for a test was posted before."""


@pytest.fixture
async def client(tmp_path: Path, fake_provider: FakeProvider) -> AsyncIterator[Prepared]:
    made = await prepared(tmp_path, fake_provider.base_url)
    async with made.instance.serving():
        yield made


async def answer(client: Prepared, path: str = "/chat/completions", **changes: Any) -> tuple[int, dict[str, Any], Any]:
    """(Status, error, headers). Each on a connection of its own."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{client.openai_url}{path}", json={**ASK, **changes}, headers=client.headers) as found,
    ):
        body = await found.json()
        return found.status, body.get("error", {}), found.headers


async def ask(client: Prepared, **changes: Any) -> tuple[int, str | None]:
    status, error, _ = await answer(client, **changes)
    return status, error.get("code")


async def test_cap_of_a_key_refuses_the_next_request_and_names_itself(client: Prepared) -> None:
    softix = client.instance.cli
    assert await ask(client) == OK
    softix("keys", "limits", client.key_id, "--spend-month", "0.0001", "--zone", "Asia/Kolkata", "--reset-day", "15")
    status, error, headers = await answer(client)
    assert (status, error["code"], error["type"]) == (429, "cap_reached", "insufficient_quota")
    assert error["message"].startswith("The cap of $0.0001 a month of this API key is reached")
    assert headers["x-should-retry"] == "false" and 0 < int(headers["Retry-After"]) <= 31 * 86_400
    softix("keys", "limits", client.key_id, "--spend-month", "5.00")
    assert await ask(client) == OK
    [limit] = softix("keys", "show", client.key_id)["limits"]
    assert limit["held"] == "0.00" and limit["spent"] > "0.00" and limit["reset_day"] == "15"
    assert softix("ledger", "verify")["ok"]


async def test_cap_of_a_user_is_of_all_keys_together(client: Prepared) -> None:
    softix = client.instance.cli
    softix("users", "limits", client.user_id, "--spend-day", "0.0001")
    assert await ask(client) == (429, "cap_reached")
    softix("users", "limits", client.user_id, "--spend-day", "none")
    assert await ask(client) == OK


async def test_raise_ends_with_its_instant_without_a_job(tmp_path: Path, fake_provider: FakeProvider) -> None:
    """No process does anything at the end: the clock passes it, and the first request after it is refused."""
    clock = FakeClock(tmp_path)
    client = await prepared(tmp_path, fake_provider.base_url)
    clock.set_to(f"{YEAR}-12-20T12:00:00Z")

    def softix(*arguments: str) -> Any:
        return client.instance.cli(*arguments, **clock.variables)

    async with client.instance.serving(**clock.variables):
        softix("keys", "limits", client.key_id, "--spend-total", "0.0001")
        assert await ask(client) == (429, "cap_reached")
        raised = softix("keys", "limits", client.key_id, "--spend-total", "50", "--until", f"{YEAR}-12-24")
        [limit] = raised["limits"]
        assert (limit["amount"], limit["raised_until"]) == ("0.0001", f"{YEAR}-12-24T00:00:00.000000Z")
        assert await ask(client) == OK
        clock.set_to(f"{YEAR}-12-23T23:59:50Z")
        assert await ask(client) == OK
        clock.set_to(f"{YEAR}-12-24T00:00:00Z")
        assert await ask(client) == (429, "cap_reached")
        assert softix("keys", "show", client.key_id)["limits"][0]["raised_until"] is None
        assert any(entry["action"] == "keys.limits" for entry in softix("audit", "list"))
        assert softix("ledger", "verify")["ok"]


async def test_cap_of_a_month_begins_anew_on_its_reset_day_in_its_zone(
    tmp_path: Path, fake_provider: FakeProvider
) -> None:
    clock = FakeClock(tmp_path)
    client = await prepared(tmp_path, fake_provider.base_url)
    clock.set_to(f"{YEAR}-01-14T22:50:00Z")
    async with client.instance.serving(**clock.variables):
        softix = client.instance.cli
        terms = ("--zone", "Europe/Berlin", "--reset-day", "15")
        needed = (await refusal(client, softix, clock))["needed"]
        softix("keys", "limits", client.key_id, "--spend-month", needed, *terms, **clock.variables)
        assert await ask(client) == OK
        assert await ask(client) == (429, "cap_reached")
        clock.set_to(f"{YEAR}-01-14T23:00:00Z")
        assert await ask(client) == OK, "it is 15 January in Berlin"


async def refusal(client: Prepared, softix: Any, clock: FakeClock) -> dict[str, Any]:
    """What a key that may spend nothing is told."""
    softix("keys", "limits", client.key_id, "--spend-month", "0", **clock.variables)
    return (await answer(client))[1]


async def test_limits_of_a_model_leave_other_models_alone_and_are_named_in_each_dialect(client: Prepared) -> None:
    softix = client.instance.cli
    softix(
        "models", "add", "gpt-other", "--provider", "chat-lab", "--input", "1", "--output", "1", "--max-output", "1000"
    )
    softix("keys", "limits", client.key_id, "--model", "gpt-t*", "--rpm", "1")
    assert await ask(client) == OK
    status, error, headers = await answer(client)
    assert (status, error["code"]) == (429, "rate_limited") and 0 < int(headers["Retry-After"]) <= 60
    assert error["message"].endswith("Its limit is 1 requests a minute for gpt-t*.")
    assert await ask(client, model="gpt-other") == OK
    softix("keys", "limits", client.key_id, "--model", "gpt-t*", "--rpm", "none", "--spend-total", "0.0001")
    assert await ask(client) == (429, "cap_reached")
    assert await ask(client, model="gpt-other") == OK
    softix("keys", "limits", client.key_id, "--model", "gpt-t*", "--spend-total", "none", "--tpm", "10")
    assert await ask(client) == OK
    assert await ask(client) == (429, "tokens_limited")
    assert await ask(client, model="gpt-other") == OK
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{client.openai_url}/messages",
            json=ASK,
            headers={"x-api-key": client.key, "anthropic-version": "2023-06-01"},
        ) as found,
    ):
        body = await found.json()
        assert (found.status, body["error"]["type"]) == (429, "rate_limit_error")
        assert "10 tokens a minute for gpt-t*" in body["error"]["message"]


async def test_limits_are_exact_over_two_daemons_on_one_database(tmp_path: Path, fake_provider: FakeProvider) -> None:
    first = await prepared(tmp_path, fake_provider.base_url)
    softix = first.instance.cli
    second = Instance(first.instance.folder)
    async with first.instance.serving(), second.serving():
        softix("keys", "limits", first.key_id, "--model", "gpt-*", "--rpm", "3")
        urls = [first.openai_url, f"{second.url}/v1"] * 4

        async def one(session: aiohttp.ClientSession, url: str) -> int:
            async with session.post(f"{url}/chat/completions", json=ASK, headers=first.headers) as found:
                return found.status

        async with aiohttp.ClientSession() as session:
            statuses = await asyncio.gather(*(one(session, url) for url in urls))
        assert sorted(statuses) == [200] * 3 + [429] * 5

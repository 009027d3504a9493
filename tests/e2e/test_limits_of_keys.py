"""Caps with periods and raises, shares and limits by model: in force for the very next request, in every process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from support.daemon import Prepared, prepared
from support.provider import FakeProvider

from softix_proxy.domain.core.clock import SECOND_US, SystemClock, format_instant

ASK = {"model": "gpt-test", "max_tokens": 100, "messages": [{"role": "user", "content": "Still there?"}]}
OK = (200, None)


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


async def test_raise_holds_at_once_and_ends_with_its_instant_without_a_job(client: Prepared) -> None:
    """The end is a second away: nothing runs then, and the first request after it is refused."""
    softix, clock = client.instance.cli, SystemClock()
    softix("keys", "limits", client.key_id, "--spend-day", "0.0001")
    assert await ask(client) == (429, "cap_reached")
    end = str(format_instant(clock.now_us() + 4 * SECOND_US))
    raised = softix("keys", "limits", client.key_id, "--spend-day", "50", "--until", end)
    assert raised["limits"][0]["raised_until"] == end and raised["limits"][0]["amount"] == "0.0001"
    while clock.now_us() < client_end(end):
        status = await ask(client)
        if status != OK:
            break
    assert clock.now_us() >= client_end(end), "every request before the end passed"
    assert await ask(client) == (429, "cap_reached")
    assert softix("keys", "show", client.key_id)["limits"][0]["raised_until"] is None
    entries = softix("audit", "list", "--limit", "9")
    assert any(entry["action"] == "keys.limits" for entry in entries)


def client_end(text: str) -> int:
    from softix_proxy.domain.core.clock import parse_instant

    return parse_instant(text)


async def test_limits_of_a_model_leave_other_models_alone_and_are_named_in_each_dialect(client: Prepared) -> None:
    softix = client.instance.cli
    softix("models", "add", "gpt-other", "--provider", "test", "--input", "1", "--output", "1", "--max-output", "1000")
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
            f"{client.openai_url}/messages", json=ASK, headers={"x-api-key": client.key, "anthropic-version": "2023-06-01"}
        ) as found,
    ):
        body = await found.json()
        assert (found.status, body["error"]["type"]) == (429, "rate_limit_error")
        assert "10 tokens a minute for gpt-t*" in body["error"]["message"]


async def test_limits_are_exact_over_two_daemons_on_one_database(tmp_path: Path, fake_provider: FakeProvider) -> None:
    first = await prepared(tmp_path, fake_provider.base_url)
    softix = first.instance.cli
    async with first.instance.serving(), first.instance.another().serving() as second_url:
        softix("keys", "limits", first.key_id, "--model", "gpt-*", "--rpm", "3")
        urls = [first.openai_url, f"{second_url}/v1"] * 4

        async def one(session: aiohttp.ClientSession, url: str) -> int:
            async with session.post(f"{url}/chat/completions", json=ASK, headers=first.headers) as found:
                return found.status

        async with aiohttp.ClientSession() as session:
            statuses = await asyncio.gather(*(one(session, url) for url in urls))
        assert sorted(statuses) == [200] * 3 + [429] * 5

"""What the CLI changes, from another process, is in force for the very next request."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from support.daemon import Prepared, prepared
from support.provider import FakeProvider

from softix_proxy.domain.core.clock import SystemClock, format_instant
from softix_proxy.domain.core.money import parse_usd
from softix_proxy.domain.pricing.rates import PriceSheet
from softix_proxy.operations.pricing import prices

ASK = {"model": "gpt-test", "max_tokens": 100, "messages": [{"role": "user", "content": "Still there?"}]}


@pytest.fixture
async def client(tmp_path: Path, fake_provider: FakeProvider) -> AsyncIterator[Prepared]:
    made = await prepared(tmp_path, fake_provider.base_url)
    async with made.instance.serving():
        yield made


async def ask(client: Prepared, **changes: Any) -> tuple[int, str | None]:
    """(Status, error code). Each on a connection of its own."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{client.openai_url}/chat/completions", json={**ASK, **changes}, headers=client.headers
        ) as answer,
    ):
        body = await answer.json()
        return answer.status, body.get("error", {}).get("code")


OK = (200, None)


async def needed(client: Prepared) -> str:
    """What is held for one such request: the refusal of a key that may spend nothing tells."""
    client.instance.cli("keys", "update", client.key_id, "--cap", "0.00")
    url = f"{client.openai_url}/chat/completions"
    async with aiohttp.ClientSession() as session, session.post(url, json=ASK, headers=client.headers) as answer:
        return str((await answer.json())["error"]["needed"])


async def test_revoked_key_is_refused(client: Prepared) -> None:
    assert await ask(client) == OK
    client.instance.cli("keys", "revoke", client.key_id, "--yes")
    assert await ask(client) == (401, "key_revoked")


async def test_rotated_key_is_refused_and_the_new_one_is_accepted(client: Prepared) -> None:
    assert await ask(client) == OK
    new = client.instance.cli("keys", "rotate", client.key_id)
    assert await ask(client) == (401, "key_revoked")
    client.key = new["key"]
    assert await ask(client) == OK


async def test_lowered_cap_refuses_the_next_request(client: Prepared) -> None:
    assert await ask(client) == OK
    client.instance.cli("keys", "update", client.key_id, "--cap", "0.0001", "--cap-period", "day")
    assert await ask(client) == (429, "cap_reached")
    client.instance.cli("keys", "update", client.key_id, "--cap", "none")
    assert await ask(client) == OK


async def test_rotated_key_keeps_the_spend_under_its_cap(client: Prepared) -> None:
    client.instance.cli("keys", "update", client.key_id, "--cap", await needed(client))
    assert await ask(client) == OK
    assert await ask(client) == (429, "cap_reached")
    client.key = client.instance.cli("keys", "rotate", client.key_id)["key"]
    assert await ask(client) == (429, "cap_reached")


async def test_budget_of_a_project_refuses_the_next_request_until_its_next_period(client: Prepared) -> None:
    assert await ask(client) == OK
    softix = client.instance.cli
    softix("projects", "create", client.user_id, "bot")
    softix("projects", "assign", client.user_id, client.key_id, "--project", "bot")
    made = softix("budgets", "set", client.user_id, "0.0001", "--project", "bot", "--period", "day")
    url = f"{client.openai_url}/chat/completions"
    async with aiohttp.ClientSession() as session, session.post(url, json=ASK, headers=client.headers) as answer:
        error = (await answer.json())["error"]
        assert (answer.status, error["code"], error["type"]) == (429, "budget_reached", "insufficient_quota")
        assert answer.headers["x-should-retry"] == "false" and 0 < int(answer.headers["Retry-After"]) <= 86_400
    softix("budgets", "set", client.user_id, "5.00", "--project", "bot", "--period", "day")
    assert await ask(client) == OK
    [standing] = softix("budgets", "list", client.user_id)
    assert standing["id"] == made["id"] and standing["held"] == "0.00" and standing["spent"] > "0.00"
    assert softix("ledger", "verify")["ok"]


async def test_emptied_balance_refuses_the_next_request(client: Prepared) -> None:
    assert await ask(client) == OK
    client.instance.cli("balance", "set", client.user_id, "0.00")
    assert await ask(client) == (429, "insufficient_balance")
    client.instance.cli("balance", "credit-limit", client.user_id, "1.00")
    assert await ask(client) == OK
    assert client.balance()["balance"].startswith("-")


async def test_rate_limits_apply_to_the_next_request(client: Prepared) -> None:
    client.instance.cli("keys", "update", client.key_id, "--rpm", "1")
    assert await ask(client) == OK
    assert await ask(client) == (429, "rate_limited")
    client.instance.cli("keys", "update", client.key_id, "--rpm", "none", "--tpm", "10")
    assert await ask(client) == OK
    assert await ask(client) == (429, "tokens_limited")


async def test_disabled_user_is_refused_until_enabled_again(client: Prepared) -> None:
    assert await ask(client) == OK
    client.instance.cli("users", "disable", client.user)
    assert await ask(client) == (403, "user_disabled")
    client.instance.cli("users", "enable", client.user)
    assert await ask(client) == OK


async def test_new_key_is_accepted_only_for_its_models(client: Prepared) -> None:
    assert await ask(client) == OK
    made = client.instance.cli("keys", "create", "--user", client.user, "--models", "claude-*")
    client.key = made["key"]
    assert await ask(client) == (404, "model_not_found")


async def test_models_and_providers_that_change_are_found_or_not_by_the_next_request(client: Prepared) -> None:
    assert await ask(client, model="gpt-new") == (404, "model_not_found")
    client.instance.cli("models", "add", "gpt-new", "--provider", "chat-lab", "--input", "1", "--output", "2")
    assert await ask(client, model="gpt-new") == OK
    client.instance.cli("models", "disable", "gpt-new")
    assert await ask(client, model="gpt-new") == (404, "model_not_found")
    client.instance.cli("providers", "disable", "chat-lab")
    assert await ask(client) == (404, "model_not_found")


async def test_model_without_a_price_is_refused_and_listed_as_missing(client: Prepared) -> None:
    client.instance.cli("models", "add", "gpt-new", "--provider", "chat-lab")
    assert await ask(client, model="gpt-new") == (400, "model_not_priced")
    assert [row["model"] for row in client.instance.cli("prices", "missing")] == ["gpt-new"]
    client.instance.cli("prices", "set", "gpt-new", "--input", "1", "--output", "2")
    assert await ask(client, model="gpt-new") == OK


async def test_new_price_and_markup_apply_to_the_next_request(client: Prepared) -> None:
    def charge() -> str:
        return str(client.usage()[0]["charge"])

    assert await ask(client) == OK
    plain = charge()
    client.instance.cli("prices", "markup", "--user", client.user, "100%")
    assert await ask(client) == OK
    assert float(charge()) == 2 * float(plain)
    client.instance.cli("prices", "set", "gpt-test", "--free")
    assert await ask(client) == OK
    assert charge() == "0.00"


async def test_price_with_a_future_start_applies_from_that_instant(client: Prepared) -> None:
    """While the daemon serves, and without a hand on it: what is planned before the instant has the old price."""
    assert await ask(client) == OK
    sheet = PriceSheet.parse({"bands": [{"prices": {"input": "9", "output": "9"}}]})
    async with client.instance.opened() as opened:
        start_us = opened.clock.now_us() + 1_000_000
        coming = (await prices.set_price(opened.storage, "gpt-test", sheet, starts_at_us=start_us)).version
    start = str(format_instant(start_us))
    while SystemClock().now_us() < start_us:
        assert await ask(client) == OK
    assert await ask(client) == OK
    rows = client.usage()
    assert rows[0]["price_version"] == coming.id and rows[-1]["price_version"] != coming.id
    for row in rows:
        if row["price_version"] == coming.id:
            assert row["posted_at"] >= start
        else:
            assert row["usage_at"] < start
    explained = client.instance.cli("usage", "explain", rows[0]["request_id"])
    assert explained["agrees"] and {line["unit_price"] for line in explained["lines"]} == {"9"}


async def test_new_fee_is_charged_with_the_next_request(client: Prepared) -> None:
    assert await ask(client) == OK
    client.instance.cli("prices", "markup", "--default", "0%", "--fee", "0.25")
    assert await ask(client) == OK
    after, before = client.usage()
    assert (before["request_fee"], after["request_fee"]) == ("0.00", "0.25")
    assert parse_usd(after["charge"]) - parse_usd(before["charge"]) == parse_usd("0.25")
    assert after["provider_cost"] == before["provider_cost"]
    assert client.instance.cli("usage", "explain", after["request_id"])["agrees"]


async def test_allowed_addresses_apply_to_the_next_request(client: Prepared) -> None:
    client.instance.cli("keys", "update", client.key_id, "--allow-ip", "10.0.0.0/8")
    assert await ask(client) == (403, "ip_not_allowed")
    client.instance.cli("keys", "update", client.key_id, "--allow-ip", "127.0.0.0/8")
    assert await ask(client) == OK

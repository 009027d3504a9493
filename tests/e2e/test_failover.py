"""The real daemon and two real providers, of which one is in trouble."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from support.daemon import Prepared, prepared
from support.provider import FakeProvider, told

ASK = {"model": "gpt-test", "max_tokens": 100, "messages": [{"role": "user", "content": "Still there?"}]}
TROUBLE = [told(status=503), told(status=500), told(status=529), told(status=429), "stall"]
NOWHERE = "http://127.0.0.1:1"


@pytest.fixture(scope="module")
def other_provider() -> Iterator[FakeProvider]:
    provider = FakeProvider()
    yield provider
    provider.stop()


@pytest.fixture
async def second(other_provider: FakeProvider) -> AsyncIterator[FakeProvider]:
    await other_provider.reset()
    yield other_provider
    await other_provider.reset()


@pytest.fixture
async def client(tmp_path: Path, fake_provider: FakeProvider, second: FakeProvider) -> AsyncIterator[Prepared]:
    """With `gpt-test` at two providers, of which the second is three times as dear; not started yet."""
    made = await prepared(tmp_path, fake_provider.base_url)
    cli = made.instance.cli
    cli("providers", "add", "second", "--type", "openai-compatible", "--base-url", second.base_url, "--key-stdin",
        "--no-test", stdin="sk-second")  # fmt: skip
    cli("models", "add", "gpt-test", "--provider", "second", "--input", "3", "--output", "6", "--max-output", "4096",
        "--context", "100000")  # fmt: skip
    yield made
    await made.instance.kill()


async def ask(client: Prepared, **changes: Any) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{client.openai_url}/chat/completions", json={**ASK, **changes}, headers=client.headers
        ) as answer,
    ):
        return answer.status, await answer.text()


def spent(client: Prepared) -> Decimal:
    balance = client.balance()
    assert balance["held"] == "0.00"
    return Decimal("25.00") - Decimal(balance["balance"])


def charged(client: Prepared) -> Decimal:
    return sum((Decimal(row["charge"]) for row in client.usage()), Decimal(0))


@pytest.mark.parametrize("stream", [False, True])
async def test_request_after_a_failed_target_is_served_by_another_and_charged_once(
    client: Prepared, fake_provider: FakeProvider, second: FakeProvider, stream: bool
) -> None:
    await fake_provider.script(*TROUBLE)
    variables = {"SOFTIX_UPSTREAM_FIRST_BYTE_TIMEOUT_S": "1", "SOFTIX_ROUTING_BREAKER_FAILURES": "0"}
    async with client.instance.serving(**variables):
        for _ in TROUBLE:
            status, text = await ask(client, stream=stream)
            assert status == 200 and ("data: [DONE]" in text) == stream
    rows = client.usage()
    assert [row["provider"] for row in rows] == ["second"] * len(TROUBLE)
    totals = await second.totals()
    assert totals["finished"] == len(TROUBLE)
    exact = Decimal(3 * totals["input_tokens"] + 6 * totals["output_tokens"]) / 10**6
    assert spent(client) == charged(client) == exact
    attempts = client.instance.cli("usage", "attempts")
    met = [(row["status_code"], row["usage_source"]) for row in reversed(attempts)]
    assert met[:3] == [(503, "none"), (500, "none"), (529, "none")]
    # A limited provider is left alone for as long as it asks, so that it may not have been asked again.
    assert [each for each in met[3:] if each[0] == 504] in ([(504, "interrupted")], [])
    assert {row["provider"] for row in attempts} == {"chat-lab"} and {row["charge"] for row in attempts} == {"0.00"}
    shown = client.instance.cli("usage", "show", rows[-1]["request_id"])
    assert shown["attempts"] == 2 and shown["failed_attempts"][0]["error"] == "provider_fault"
    assert client.verify()["ok"] is True


async def test_stream_that_breaks_after_its_start_is_not_retried(
    client: Prepared, fake_provider: FakeProvider, second: FakeProvider
) -> None:
    await fake_provider.script(told(cut_after=3))
    async with client.instance.serving():
        with pytest.raises(aiohttp.ClientPayloadError):
            await ask(client, stream=True)
    [row] = client.usage()
    assert (row["provider"], row["error"], row["attempts"]) == ("chat-lab", "provider_broke_off", 1)
    assert await second.requests() == [] and spent(client) == Decimal(row["charge"]) > 0


@pytest.mark.parametrize(("padding", "piece"), [(8_000, 1_000), (300_000, 300_001)])
async def test_failover_with_a_large_body_serves(client: Prepared, padding: int, piece: int) -> None:
    """A body in pieces, and one that is too large to be taken at once, are read another way than a small one."""
    body = json.dumps({**ASK, "messages": [{"role": "user", "content": "y" * padding}]}).encode()

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), piece):
            yield body[start : start + piece]

    headers = {**client.headers, "content-type": "application/json"}
    async with client.instance.serving(), aiohttp.ClientSession() as session:
        for data in (body, pieces()):
            async with session.post(f"{client.openai_url}/chat/completions", data=data, headers=headers) as answer:
                assert answer.status == 200, await answer.text()
    assert [row["status_code"] for row in client.usage()] == [200, 200]


async def test_concurrent_requests_while_a_target_fails_at_random_are_each_charged_once(
    client: Prepared, fake_provider: FakeProvider, second: FakeProvider
) -> None:
    await fake_provider.script(*[told(status=500), "", told(status=503), ""] * 12)
    client.instance.cli("routes", "set", "gpt-best", "chat-lab/gpt-test weight 1, second/gpt-test weight 1")
    async with client.instance.serving():
        answers = await asyncio.gather(*(ask(client, model="gpt-best", stream=n % 2 == 0) for n in range(48)))
    assert {status for status, _ in answers} == {200}
    finished = [(await provider.totals())["finished"] for provider in (fake_provider, second)]
    rows = client.usage()
    assert len(rows) == sum(finished) == 48 and min(finished) > 0
    assert len({row["request_id"] for row in rows}) == 48
    assert spent(client) == charged(client) and client.verify()["ok"] is True
    failed = sum(row["attempts"] - 1 for row in rows)
    assert failed == len(client.instance.cli("usage", "attempts", "--limit", "1000"))


async def test_crash_during_a_second_attempt_leaves_one_interrupted_row_and_no_hold(
    client: Prepared, fake_provider: FakeProvider, second: FakeProvider
) -> None:
    await fake_provider.script(told(status=500))
    await second.script(told(gate="held"))
    await client.instance.start()
    asking = asyncio.create_task(ask(client))
    await second.waiting("held")
    await client.instance.kill()
    with pytest.raises(aiohttp.ClientError):
        await asking
    async with client.instance.serving():
        [row] = client.usage()
        assert (row["usage_source"], row["charge"], row["provider"]) == ("interrupted", "0.00", "chat-lab")
        assert client.balance()["held"] == "0.00" and client.verify()["open_holds"] == 0


async def test_routing_changed_by_the_cli_applies_to_the_next_request(client: Prepared, second: FakeProvider) -> None:
    softix = client.instance.cli

    async def served_by(**changes: Any) -> str:
        status, text = await ask(client, **changes)
        return str(client.usage()[0]["provider"]) if status == 200 else f"{status} {text.count('model_not_found')}"

    async with client.instance.serving():
        assert await served_by(model="best") == "404 1"
        softix("routes", "set", "best", "second/gpt-test, then chat-lab/gpt-test")
        assert await served_by(model="best") == "second"
        softix("routes", "set", "best", "chat-lab/gpt-test")
        assert await served_by(model="best") == "chat-lab"
        softix("providers", "update", "second", "--region", "eu")
        softix("users", "update", client.user, "--regions", "eu")
        assert await served_by(model="best") == "404 1"
        assert await served_by() == "second"
        softix("users", "update", client.user, "--regions", "none")
        softix("keys", "update", client.key_id, "--regions", "ch")
        assert await served_by() == "404 1"
        softix("keys", "update", client.key_id, "--regions", "none")
        softix("routes", "remove", "best", "--yes")
        assert await served_by(model="best") == "404 1"


async def test_provider_keys_take_turns_until_one_is_refused(client: Prepared, fake_provider: FakeProvider) -> None:
    softix = client.instance.cli
    softix("providers", "set-key", "chat-lab", "--add", "--label", "spare", "--key-stdin", stdin="sk-spare")
    softix("models", "disable", "second/gpt-test")
    await fake_provider.script(told(status=401))
    async with client.instance.serving():
        for _ in range(4):
            assert (await ask(client))[0] == 200
    shown = [dict(record["headers"])["authorization"] for record in await fake_provider.requests()]
    spare, main = "Bearer sk-spare", f"Bearer {client.provider_keys['chat-lab']}"
    assert set(shown[:2]) == {spare, main} and shown[1:] == [shown[1]] * 4
    assert client.usage()[-1]["attempts"] == 2 and spent(client) == charged(client)


async def test_routes_health_after_failures_shows_the_open_circuit_breaker(
    client: Prepared, fake_provider: FakeProvider
) -> None:
    await fake_provider.script(*[told(status=500)] * 5)
    softix = client.instance.cli
    async with client.instance.serving(SOFTIX_ROUTING_BREAKER_PAUSE_S="300"), asyncio.timeout(60):
        for _ in range(5):
            assert (await ask(client))[0] == 200
        while len(health := softix("routes", "health")) < 2 or health[0]["requests"] < 5:
            pass
        first, other = health
        assert (first["target"], first["breaker"], first["failures"]) == ("chat-lab/gpt-test", "open", 5)
        assert first["last_error"] == "provider_fault" and other["breaker"] == "closed" and other["latency_ms"] >= 0
        explained = softix("routes", "explain", "--model", "gpt-test", "--user", client.user)
        assert [(row["taken"], row["reason"]) for row in explained] == [(False, "breaker"), (True, None)]


async def test_request_without_a_free_connection_uses_the_next_target_or_is_told_to_retry(
    client: Prepared, fake_provider: FakeProvider, second: FakeProvider
) -> None:
    """The next target is asked; without one the client hears that it may come again."""
    softix = client.instance.cli
    limits = {"SOFTIX_UPSTREAM_MAX_CONNECTIONS_PER_PROVIDER": "1", "SOFTIX_UPSTREAM_CONNECT_TIMEOUT_S": "1"}
    async with client.instance.serving(**limits):
        await fake_provider.script(told(gate="busy"))
        slow = asyncio.create_task(ask(client))
        await fake_provider.waiting("busy")
        assert (await ask(client))[0] == 200
        assert len(await second.requests()) == 1
        softix("providers", "disable", "second")
        status, body = await ask(client)
        assert status == 429 and "provider_busy" in body and "in use" in body
        await fake_provider.open("busy")
        assert (await slow)[0] == 200 and (await ask(client))[0] == 200
        assert spent(client)
    rows = softix("usage", "list")
    assert sorted(row["status_code"] for row in rows) == [200, 200, 200, 429]
    assert {row["charge"] for row in rows if row["status_code"] == 429} == {"0.00"}


async def test_attempt_at_an_unreachable_target_is_recorded_and_another_serves(client: Prepared) -> None:
    softix = client.instance.cli
    softix("providers", "update", "chat-lab", "--base-url", NOWHERE, "--key-stdin", stdin="sk-again")
    async with client.instance.serving(SOFTIX_UPSTREAM_CONNECT_RETRIES="0"):
        assert (await ask(client))[0] == 200
    [attempt] = softix("usage", "attempts")
    assert (attempt["error"], attempt["usage_source"]) == ("provider_unreachable", "none")


async def test_server_that_refuses_the_usage_option_is_sent_it_only_once(
    client: Prepared, fake_provider: FakeProvider, second: FakeProvider
) -> None:
    async with client.instance.serving():
        cli = client.instance.cli
        cli("models", "add", "picky", "--provider", "chat-lab", "--input", "1", "--output", "2", "--max-output", "100",
            "--context", "1000", "--upstream-name", "fake.refuses.stream_options+no-usage:x")  # fmt: skip
        for _ in range(3):
            status, text = await ask(client, model="picky", stream=True)
            assert status == 200 and text.endswith("data: [DONE]\n\n")
        assert [record["status"] for record in await fake_provider.requests()] == [422, 200, 200, 200]
        rows = client.usage()
        assert [row["usage_source"] for row in rows] == ["estimate"] * 3
        assert all(Decimal(row["charge"]) > 0 for row in rows)
        assert spent(client) == sum(Decimal(row["charge"]) for row in rows)
        [attempt] = cli("usage", "attempts")
        assert (attempt["status_code"], attempt["usage_source"], attempt["charge"]) == (422, "none", "0.00")
        assert "--drop-field stream_options" in client.instance.log_text()
        cli("providers", "update", "chat-lab", "--drop-field", "stream_options")
        await ask(client, model="picky", stream=True, stream_options={"include_usage": True})
        assert [record["status"] for record in await fake_provider.requests()][4:] == [200]
    assert client.verify()["ok"] is True

"""From where and with what keys are used: what the real daemon writes down, when, and what it loses."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from support.admin_api import admin_api
from support.canaries import Canaries
from support.certificates import write_pair
from support.daemon import Prepared, prepared
from support.provider import FakeProvider
from support.wire import CHAT, post

HERE, THERE = "127.0.0.1", "127.0.0.2"
SDK = "OpenAI/Python 1.54.0"


@pytest.fixture
async def client(tmp_path: Path, fake_provider: FakeProvider) -> AsyncIterator[Prepared]:
    made = await prepared(tmp_path, fake_provider.base_url)
    yield made
    await made.instance.kill()


async def ask(client: Prepared, address: str = HERE, times: int = 1, **headers: str) -> None:
    """Asks from an address of this machine, as a program of this name."""
    told = {**client.headers, "user-agent": SDK, **{name.replace("_", "-"): value for name, value in headers.items()}}
    connector = aiohttp.TCPConnector(local_addr=(address, 0))
    async with aiohttp.ClientSession(connector=connector) as session:
        for _ in range(times):
            assert (await post(session, client.url, CHAT, told)).status == 200


def addresses(client: Prepared) -> Mapping[str, int]:
    found = client.instance.cli("addresses", "list", "--limit", "5000")
    assert all(row["key"] == client.key_id for row in found)
    return {row["address"]: row["requests"] for row in found}


async def until(found: Callable[[], Any], wanted: Callable[[Any], bool]) -> Any:
    """What is found as soon as it is as wanted."""
    async with asyncio.timeout(40):
        while not wanted(value := await asyncio.to_thread(found)):
            await asyncio.sleep(0.2)  # the daemon writes every few seconds
    return value


async def test_sigterm_writes_what_is_in_memory(client: Prepared) -> None:
    await client.instance.start()
    await ask(client, HERE, 3)
    await ask(client, THERE, 2, user_agent="curl/8.1.2")
    assert await client.instance.stop() == 0
    assert addresses(client) == {HERE: 3, THERE: 2}
    agents = client.instance.cli("addresses", "agents", "--key", client.key_id)
    assert {(row["family"], row["version"], row["tls"], row["requests"]) for row in agents} == {
        ("OpenAI Python SDK", "1.54.0", "", 3),
        ("curl", "8.1.2", "", 2),
    }


async def test_kill_loses_the_last_seconds_at_most_and_counts_nothing_twice(client: Prepared) -> None:
    await client.instance.start()
    await ask(client, HERE, 3)
    await until(lambda: addresses(client), lambda found: found == {HERE: 3})
    await ask(client, THERE, 2)
    await client.instance.kill()
    after = addresses(client)
    assert after[HERE] == 3 and after.get(THERE, 0) in (0, 2)
    async with client.instance.serving():
        await ask(client, HERE)
    assert addresses(client) == {**after, HERE: 4}


async def test_purge_empties_it_and_a_running_daemon_counts_on(client: Prepared) -> None:
    async with client.instance.serving():
        await ask(client, HERE, 3)
        await until(lambda: addresses(client), lambda found: found == {HERE: 3})
        done = client.instance.cli("addresses", "purge", "--user", client.user, "--yes")
        assert done == {"subject": client.user_id, "removed": 2}
        assert addresses(client) == {}
        await ask(client, THERE)
    assert addresses(client) == {THERE: 1}


async def test_address_behind_a_trusted_proxy_is_the_last_that_it_does_not_know(client: Prepared) -> None:
    async with client.instance.serving(SOFTIX_SERVER_TRUSTED_PROXIES="127.0.0.2/32"):
        await ask(client, THERE, x_forwarded_for="198.51.100.66, 203.0.113.7")
        await ask(client, HERE, x_forwarded_for="198.51.100.66")
    assert addresses(client) == {"203.0.113.7": 1, HERE: 1}


async def test_tls_version_is_that_of_the_connection(client: Prepared, tmp_path: Path) -> None:
    chain, key = write_pair(tmp_path, "localhost")
    variables = {"SOFTIX_SERVER_TLS_CERT": str(chain), "SOFTIX_SERVER_TLS_KEY": str(key)}
    async with (
        client.instance.serving(**variables),
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False)) as session,
    ):
        assert (await post(session, client.url, CHAT, client.headers)).status == 200
    [row] = client.instance.cli("addresses", "agents")
    assert row["tls"] == "TLSv1.3"


async def test_flood_of_programs_of_one_key_is_bounded_and_counted(client: Prepared) -> None:
    async with client.instance.serving(), aiohttp.ClientSession() as session:
        for number in range(300):
            told = {**client.headers, "user-agent": f"curl/8.{number}"}
            assert (await session.get(f"{client.openai_url}/models", headers=told)).status == 200
    agents = client.instance.cli("addresses", "agents", "--limit", "5000")
    assert len(agents) <= 101 and sum(row["requests"] for row in agents) == 300
    assert [row["requests"] for row in agents if row["family"] == "further"] == [200]
    assert addresses(client)[HERE] >= 250


async def test_what_a_program_calls_itself_is_nowhere(client: Prepared) -> None:
    canaries = Canaries()
    templates = ("{}", "{}bot/1.0", "curl/8.1 ({})", "Mozilla/5.0 (Linux; Android 14; {} Build/A) Chrome/131.0.0.0")
    async with client.instance.serving(SOFTIX_LOG_LEVEL="debug"):
        for at, template in enumerate(templates):
            await ask(client, HERE, user_agent=template.format(canaries[f"agent {at}"]))
        await until(lambda: addresses(client), lambda found: found == {HERE: len(templates)})
        assert canaries.found_below(client.instance.folder) == {}, "while it runs, the write-ahead log included"
    assert canaries.found_below(client.instance.folder) == {}
    families = {row["family"] for row in client.instance.cli("addresses", "agents")}
    assert families <= {"other", "curl", "Chrome"} and len(canaries.texts) == len(templates)


async def test_what_a_browser_or_a_program_calls_itself_at_the_portal_is_nowhere(client: Prepared) -> None:
    canaries = Canaries()
    async with admin_api(client, SOFTIX_LOG_LEVEL="debug") as api:
        made = await api.post(
            "users/create", {"name": "lin", "email": "lin@example.org"}, user_agent=f"curl/8.1 ({canaries['api']})"
        )
        assert made.status == 200
        told = {"user-agent": f"{canaries['portal']}bot/1.0", "origin": api.daemon.url}
        form = {"email": "nobody@example.org", "password": secrets.token_urlsafe(12)}
        async with api.session.post(f"{api.daemon.url}/sign-in", data=form, headers=told) as answer:
            assert answer.status == 400
        assert canaries.found_below(client.instance.folder) == {}, "while it runs, the write-ahead log included"
    assert canaries.found_below(client.instance.folder) == {} and len(canaries.texts) == 2
    [entry] = client.instance.cli("audit", "list", "--action", "users.create")
    shown = client.instance.cli("audit", "show", str(entry["id"]))
    assert (shown["address"], shown["family"], shown["program_version"]) == ("127.0.0.1", "curl", "8.1")


async def test_guesses_of_keys_are_in_the_metrics_and_in_the_doctors_check(
    client: Prepared, session: aiohttp.ClientSession
) -> None:
    async with client.instance.serving(SOFTIX_SERVER_BAD_KEYS_PER_MINUTE="1"):
        for _ in range(5):
            told = {"authorization": f"Bearer sx_live_{secrets.token_hex(16)}"}
            assert (await post(session, client.url, CHAT, told)).status in (401, 429)
        async with session.get(f"{client.url}/metrics") as answer:
            lines = (await answer.text()).splitlines()
        counts = {line.split()[0]: float(line.split()[1]) for line in lines if "softix_invalid_keys_total" in line[:26]}
    done = client.instance.run("--json", "doctor", "--offline", "--only", "key-guesses")
    [finding] = json.loads(done.stdout)["findings"]
    assert (
        finding["severity"] == "warning"
        and "1 invalid API keys were tried in a day, and 4 further" in finding["message"]
    )
    assert "127.0.0.1: 5" in finding["message"]
    assert sum(counts.values()) == 5 and counts['softix_invalid_keys_total{outcome="refused"}'] == 1
    assert addresses(client) == {}

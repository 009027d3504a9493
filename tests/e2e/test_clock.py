"""The real daemon with a wall clock that is set while it serves, and with days of another zone."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from support.daemon import Prepared, prepared
from support.faketime import FakeClock
from support.provider import FakeProvider

from softix_proxy.domain.access.keys import KeyLimits
from softix_proxy.domain.core.clock import SystemClock, from_us
from softix_proxy.domain.core.money import parse_usd

DAY_S = 86_400
THIS = from_us(SystemClock().now_us()).year + 1
"""All that was prepared for a test was posted before."""
NEXT = THIS + 1
AHEAD_D = (date(NEXT, 10, 15) - date(THIS, 10, 15)).days
ASK = {"model": "gpt-test", "max_tokens": 100, "messages": [{"role": "user", "content": "What time is it?"}]}


@pytest.fixture
def clock(tmp_path: Path) -> FakeClock:
    return FakeClock(tmp_path)


@pytest.fixture
async def client(tmp_path: Path, clock: FakeClock, fake_provider: FakeProvider) -> Prepared:
    """Not started yet. Its key has limits a minute, and one on what it spends in a day."""
    limits = KeyLimits(rpm=20, tpm=100_000, cap_pico=parse_usd("5.00"), cap_period="day")
    return await prepared(tmp_path, fake_provider.base_url, limits=limits)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def ask(client: Prepared, session: aiohttp.ClientSession) -> int:
    url = f"{client.openai_url}/chat/completions"
    async with session.post(url, json=ASK, headers=client.headers) as answer:
        await answer.read()
        return answer.status


async def spent_today(client: Prepared, session: aiohttp.ClientSession) -> str:
    async with session.get(f"{client.openai_url}/key", headers=client.headers) as answer:
        assert answer.status == 200
        return str((await answer.json())["spent"]["day"])


async def counter(client: Prepared, session: aiohttp.ClientSession, name: str) -> float:
    async with session.get(f"{client.url}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(name))


def events(client: Prepared, name: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in client.instance.log_text().splitlines() if line.startswith("{")]
    return [line for line in lines if name in line.values()]


def months(client: Prepared, clock: FakeClock) -> dict[str, int]:
    """Month → what its usage was charged, in millionths of a dollar, by the rows of an export."""
    found: dict[str, int] = {}
    for line in client.instance.run(
        "usage", "export", "--from", "2000-01-01", "--to", "2100-01-01", "--format", "jsonl", **clock.variables
    ).stdout.splitlines():
        row = json.loads(line)
        month = str(row["posted_at"])[:7]
        found[month] = found.get(month, 0) + parse_usd(row["charge"])
    return {month: charge for month, charge in found.items() if charge}


async def test_clock_a_year_ahead_for_a_moment_blocks_nobody_and_is_redated(
    client: Prepared, clock: FakeClock, session: aiohttp.ClientSession
) -> None:
    clock.set_to(f"{THIS}-10-15T12:00:00Z")
    async with client.instance.serving(**clock.variables):
        assert [await ask(client, session) for _ in range(2)] == [200, 200]
        clock.set_to(f"{NEXT}-10-15T12:00:02Z")
        assert [await ask(client, session) for _ in range(2)] == [200, 200]
        clock.set_to(f"{THIS}-10-15T12:00:04Z")
        assert [await ask(client, session) for _ in range(4)] == [200] * 4

        def softix(*arguments: str) -> Any:
            return client.instance.cli(*arguments, **clock.variables)

        rows = softix("usage", "list", "--limit", "100")
        assert [row["posted_at"][:7] for row in rows].count(f"{NEXT}-10") == 2
        assert [row["posted_at"][:7] for row in rows].count(f"{THIS}-10") == 6
        assert await counter(client, session, "softix_clock_jumps_total") == 2
        assert [round(event["seconds"] / DAY_S) for event in events(client, "clock_jumped")] == [AHEAD_D, -AHEAD_D]
        one = parse_usd(rows[0]["charge"])
        assert one > 0 and months(client, clock) == {f"{THIS}-10": 6 * one, f"{NEXT}-10": 2 * one}

        told = client.instance.run("doctor", "--offline", **clock.variables)
        assert told.code == 1 and "softix ledger redate --dry-run" in told.stdout + told.stderr
        assert len(softix("ledger", "redate", "--dry-run")["rows"]) == 2
        assert softix("ledger", "redate", "--ahead", f"{AHEAD_D}d", "--yes")["booked"] == 2
        assert months(client, clock) == {f"{THIS}-10": 8 * one}
        assert softix("ledger", "verify")["ok"]
        assert client.instance.run("doctor", "--offline", **clock.variables).code == 0
        assert await ask(client, session) == 200

        clock.set_to(f"{THIS}-10-16T12:00:00Z")
        assert await spent_today(client, session) == "0.00"
        assert await ask(client, session) == 200
        assert parse_usd(await spent_today(client, session)) == one


async def test_prices_when_the_daemon_starts_a_day_back_are_in_force(
    client: Prepared, clock: FakeClock, session: aiohttp.ClientSession
) -> None:
    clock.set(-DAY_S)
    async with client.instance.serving(**clock.variables):
        assert await ask(client, session) == 200
        [row] = client.instance.cli("usage", "list", **clock.variables)
        assert parse_usd(row["charge"]) > 0
        shown = client.instance.cli("prices", "show", "gpt-test", **clock.variables)
        assert shown["state"] == "in force"
        assert client.instance.cli("ledger", "verify", **clock.variables)["ok"]


async def test_day_of_a_cap_and_of_a_summary_begins_at_midnight_in_the_billing_zone(
    client: Prepared, clock: FakeClock, session: aiohttp.ClientSession
) -> None:
    zone = {"SOFTIX_BILLING_ZONE": "Asia/Kolkata"}
    clock.set_to(f"{THIS}-01-31T18:20:00Z")
    async with client.instance.serving(**clock.variables, **zone):
        assert await ask(client, session) == 200
        one = parse_usd(await spent_today(client, session))
        clock.set_to(f"{THIS}-01-31T18:31:00Z")
        assert await spent_today(client, session) == "0.00", "it is 1 February there"
        assert await ask(client, session) == 200
        assert parse_usd(await spent_today(client, session)) == one > 0

        ask_for = ("usage", "summary", "--by", "day", "--from", f"{THIS}-01-01")
        told = client.instance.cli(*ask_for, **clock.variables, **zone)
        assert told["zone"] == "Asia/Kolkata"
        assert [(row["id"], parse_usd(row["charge"])) for row in told["rows"]] == [
            (f"{THIS}-01-31", one),
            (f"{THIS}-02-01", one),
        ]
        by_utc = client.instance.cli(*ask_for, "--zone", "UTC", **clock.variables, **zone)
        assert [(row["id"], row["requests"]) for row in by_utc["rows"]] == [(f"{THIS}-01-31", 2)]
        assert client.instance.cli("ledger", "verify", **clock.variables, **zone)["ok"]

"""No content and no key is kept on any route: each dialect, streamed or not, translated or not, and forms."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from support.canaries import Canaries
from support.daemon import Prepared
from support.provider import FakeProvider, fake
from support.tenants import OFFERED, SPECIAL, house, rows, tenant
from support.wire import FILE, ROUTES, STREAMED, Route

PROSE = {"Once", "rivers", "Rhine", "Alps"}
"""Texts of the example requests, beside those with a space in them."""
TRANSLATED = {"chat_completions": "claude-test", "messages": "gpt-test", "responses": "claude-test"}
"""Endpoint → a model of another dialect."""


def marked(value: Any, canary: str) -> Any:
    """The same with this text in the place of all prose."""
    if isinstance(value, dict):
        return {name: marked(each, canary) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [marked(each, canary) for each in value]
    return f"{canary} {value}" if isinstance(value, str) and (" " in value or value in PROSE) else value


def ways() -> list[tuple[str, Route, dict[str, Any]]]:
    """Name, route, and further fields."""
    found: list[tuple[str, Route, dict[str, Any]]] = [(name, route, {}) for name, route in ROUTES.items()]
    found += [(f"{name} as a stream", ROUTES[name], {"stream": True}) for name in STREAMED if not ROUTES[name].always]
    found += [(f"{name} to {model}", ROUTES[name], {"model": model}) for name, model in TRANSLATED.items()]
    return found


async def send(session: aiohttp.ClientSession, client: Prepared, canaries: Canaries, name: str, **told: Any) -> None:
    _, route, more = next(way for way in ways() if way[0] == name)
    place = f"{name} {told}"
    kind, body = route._replace(ask=marked(dict(route.ask), canaries[f"request {place}"])).body(more)
    body = body.replace(FILE.encode(), canaries[f"file {place}"].encode())
    headers = {
        **client.headers,
        **fake(canary=canaries[f"answer {place}"], **told),
        "content-type": kind,
        "user-agent": canaries[f"agent {place}"],
        "x-anything": canaries[f"header {place}"],
    }
    refuses_queries = ":" in route.path  # Gemini's paths
    query = route.query if refuses_queries else f"{route.query}?q={canaries[f'query {place}']}"
    url = client.url + route.path + query
    try:
        async with session.post(url, data=body, headers=headers) as answer:
            await answer.read()
    except aiohttp.ClientError:
        assert told, f"{place} broke off"


@pytest.fixture
async def used(tmp_path: Path, fake_provider: FakeProvider) -> tuple[Prepared, Canaries]:
    """An instance that was asked in all ways, and then killed, so that its write-ahead log is still there."""
    canaries = Canaries()
    made = await house(tmp_path, fake_provider.base_url)
    await made.instance.start(SOFTIX_LOG_LEVEL="debug", PYTHONASYNCIODEBUG="1", TMPDIR=str(tmp_path))
    try:
        client = await tenant(made, offered=(*OFFERED, *SPECIAL))
        canaries.texts["the user's key"] = client.key
        async with aiohttp.ClientSession() as session:
            for name, _, _ in ways():
                await send(session, client, canaries, name)
            asked = [send(session, client, canaries, name, status=500) for name, _, _ in ways()]
            asked += [send(session, client, canaries, name, garbage=True) for name, _, _ in ways()]
            asked += [send(session, client, canaries, name, truncate=True) for name, _, _ in ways()]
            await asyncio.gather(*asked)
        assert len({row["endpoint"] for row in await rows(client)}) == len(ROUTES)
    finally:
        await made.instance.kill()
    return client, canaries


async def test_marked_texts_through_every_route_are_found_nowhere(
    used: tuple[Prepared, Canaries], tmp_path: Path
) -> None:
    client, canaries = used
    assert len(canaries.texts) > 400
    assert any(path.name.endswith("-wal") for path in tmp_path.rglob("*"))
    assert canaries.found_below(tmp_path) == {}
    shown = [client.instance.run(*words).stdout for words in (("usage", "list", "--json"), ("keys", "list", "--json"))]
    assert canaries.found_in("".join(shown).encode()) == []


async def test_keys_are_in_no_file_of_a_used_instance(used: tuple[Prepared, Canaries], tmp_path: Path) -> None:
    """The keys of providers are there, but sealed; of API keys only digests are."""
    client, _ = used
    secrets = Canaries()
    secrets.texts = {"API key": client.key, **client.provider_keys, "other provider": "sk-of-a-lab"}
    assert secrets.found_below(tmp_path) == {}

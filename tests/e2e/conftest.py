"""Daemons that tests share: one for a module, or one for all that need no settings of their own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from support.daemon import Prepared, prepared
from support.provider import FakeProvider
from support.tenants import OFFERED, SPECIAL, house, tenant


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory, shared_provider: FakeProvider) -> AsyncIterator[Prepared]:
    folder: Path = tmp_path_factory.mktemp("served")
    made = await prepared(folder, shared_provider.base_url, chat_models=("gpt-test", "embed-test"))
    async with made.instance.serving():
        yield made


def _daemon(folder: Path, provider: FakeProvider, **variables: str) -> Iterator[Prepared]:
    async def start() -> Prepared:
        made = await house(folder, provider.base_url)
        await made.instance.start(**variables)
        return made

    async def stop() -> None:
        try:
            assert await made.instance.stop() == 0, made.instance.log_text()[-2000:]
        finally:
            await made.instance.kill()

    made = asyncio.run(start())
    yield made
    asyncio.run(stop())


@pytest.fixture(scope="session")
def shared_daemon(tmp_path_factory: pytest.TempPathFactory, shared_provider: FakeProvider) -> Iterator[Prepared]:
    yield from _daemon(tmp_path_factory.mktemp("house"), shared_provider)


@pytest.fixture(scope="session")
def hasty_daemon(tmp_path_factory: pytest.TempPathFactory, shared_provider: FakeProvider) -> Iterator[Prepared]:
    """Waits for nothing longer than half a second, and takes bodies of 1 MiB."""
    waits = ("SERVER_HEADER", "SERVER_BODY", "SERVER_WRITE", "UPSTREAM_FIRST_BYTE", "UPSTREAM_IDLE")
    variables = {f"SOFTIX_{wait}_TIMEOUT_S": "0.5" for wait in waits}
    folder = tmp_path_factory.mktemp("hasty")
    yield from _daemon(folder, shared_provider, SOFTIX_SERVER_MAX_BODY_MIB="1", **variables)


@pytest.fixture
async def client(shared_daemon: Prepared, fake_provider: FakeProvider) -> Prepared:
    """A user of the shared daemon, made for this test, with empty books at the provider."""
    return await tenant(shared_daemon)


@pytest.fixture
async def any_client(shared_daemon: Prepared, fake_provider: FakeProvider) -> Prepared:
    """The same, who may also use the models of SPECIAL, so that every route serves it."""
    return await tenant(shared_daemon, offered=(*OFFERED, *SPECIAL))


@pytest.fixture
async def hasty_client(hasty_daemon: Prepared, fake_provider: FakeProvider) -> Prepared:
    return await tenant(hasty_daemon)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as opened:
        yield opened

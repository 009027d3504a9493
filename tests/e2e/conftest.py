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
from support.tenants import house, tenant


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory, shared_provider: FakeProvider) -> AsyncIterator[Prepared]:
    folder: Path = tmp_path_factory.mktemp("served")
    made = await prepared(folder, shared_provider.base_url, chat_models=("gpt-test", "embed-test"))
    async with made.instance.serving():
        yield made


@pytest.fixture(scope="session")
def shared_daemon(tmp_path_factory: pytest.TempPathFactory, shared_provider: FakeProvider) -> Iterator[Prepared]:
    async def start() -> Prepared:
        made = await house(tmp_path_factory.mktemp("house"), shared_provider.base_url)
        await made.instance.start()
        return made

    async def stop() -> None:
        try:
            assert await made.instance.stop() == 0
        finally:
            await made.instance.kill()

    made = asyncio.run(start())
    yield made
    asyncio.run(stop())


@pytest.fixture
async def client(shared_daemon: Prepared, fake_provider: FakeProvider) -> Prepared:
    """A user of the shared daemon, made for this test, with empty books at the provider."""
    return await tenant(shared_daemon)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as opened:
        yield opened

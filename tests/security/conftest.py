"""One daemon for the battery: it waits for nothing longer than half a second, and takes bodies of 1 MiB."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from support.daemon import Prepared
from support.provider import FakeProvider
from support.tenants import house, tenant

WAITS = ("SERVER_HEADER", "SERVER_BODY", "SERVER_WRITE", "UPSTREAM_FIRST_BYTE", "UPSTREAM_IDLE")


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory, shared_provider: FakeProvider) -> Iterator[Prepared]:
    variables = {f"SOFTIX_{wait}_TIMEOUT_S": "0.5" for wait in WAITS}

    async def start() -> Prepared:
        made = await house(tmp_path_factory.mktemp("guarded"), shared_provider.base_url)
        await made.instance.start(SOFTIX_SERVER_MAX_BODY_MIB="1", **variables)
        return made

    async def stop(made: Prepared) -> None:
        try:
            assert await made.instance.stop() == 0, made.instance.log_text()[-2000:]
        finally:
            await made.instance.kill()

    made = asyncio.run(start())
    yield made
    asyncio.run(stop(made))


@pytest.fixture(scope="session")
def attacker(guarded: Prepared) -> Prepared:
    """A user with a key and money, who knows HTTP better than is good for others."""
    return asyncio.run(tenant(guarded))

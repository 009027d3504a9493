from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from softix_proxy import assembly
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.settings import Settings


async def get(url: str) -> tuple[int, bytes]:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status, await answer.read()


async def test_daemon_while_it_serves_answers_and_after_its_stop_refuses_connections(ready: Settings) -> None:
    async with assembly.serving(ready) as daemon:
        status, body = await get(f"{daemon.url}/readyz")
        assert (status, json.loads(body)) == (200, {"status": "ready"})
        url = daemon.url
        assert await daemon.stop(asyncio.Event()) == 0
    with pytest.raises(aiohttp.ClientConnectionError):
        await get(f"{url}/readyz")


async def test_daemon_with_a_metrics_port_serves_metrics_there_only(
    ready: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings = replace(ready, server=replace(ready.server, metrics_port=0))
    with caplog.at_level("INFO", "softix.web"):
        async with assembly.serving(settings) as daemon:
            [there] = [record.__dict__["url"] for record in caplog.records if "url" in record.__dict__]
            assert (await get(there))[0] == 200
            assert (await get(f"{daemon.url}/metrics"))[0] == 404


async def test_daemon_without_its_master_key_is_refused_and_leaves_no_slot(ready: Settings) -> None:
    key = ready.paths.master_key
    kept = key.read_bytes()
    key.unlink()
    with pytest.raises(FailureError, match="master key"):
        async with assembly.serving(ready):
            pytest.fail("it serves")
    key.write_bytes(kept)
    Path(key).chmod(0o600)
    async with assembly.serving(ready) as daemon:
        assert (await get(f"{daemon.url}/healthz"))[0] == 200

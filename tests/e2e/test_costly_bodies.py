"""Bodies that are small to send and costly to read take little of the real daemon's time and memory."""

from __future__ import annotations

import asyncio
import gzip
import os
import sys
from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path

import aiohttp
import pytest
from support.daemon import Prepared, prepared
from support.provider import FakeProvider
from support.tenants import tenant

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads the process's figures in /proc")
TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
NUMBERS = b'{"model":"embed-test","input":[' + b"0," * 2_000_000 + b"0]}"
"""Four kilobytes when it is compressed, and a gigabyte of objects when it is decoded."""
MIB = 1024 * 1024
SIZE_MIB = 24
PLACES = {
    "/v1/embeddings": b'{"model":"nobody","input":[%b0]}',
    "/v1/rerank": b'{"model":"nobody","query":"a","documents":[%b0]}',
    "/v1/completions": b'{"model":"nobody","prompt":[%b0]}',
    "/v1/chat/completions": b'{"model":"nobody","messages":[{"role":"user","content":[%b0]}]}',
    "/v1/responses": b'{"model":"nobody","input":[%b0]}',
    "/v1/messages": b'{"model":"nobody","max_tokens":5,"messages":[{"role":"user","content":[%b0]}]}',
    "/v1/messages/batches": b'{"requests":[%b0]}',
    "/v1beta/models/nobody:generateContent": b'{"contents":[{"parts":[%b0]}]}',
    "/v1beta/models/nobody:batchEmbedContents": b'{"requests":[%b0]}',
    "/v1/moderations": b'{"model":"nobody","input":[%b0]}',
}
"""The places of a list in requests for a model that there is not: they are read, and go nowhere."""


@cache
def zeros() -> bytes:
    """Compresses a gigabyte to one megabyte, which takes seconds."""
    return gzip.compress(bytes(1_000_000_000))


@pytest.fixture
async def daemon(tmp_path: Path, fake_provider: FakeProvider) -> AsyncIterator[Prepared]:
    made = await prepared(tmp_path, fake_provider.base_url, chat_models=("gpt-test", "embed-test"))
    async with made.instance.serving():
        yield made


class Figures:
    """What the daemon's process has used so far."""

    def __init__(self, of: Prepared) -> None:
        assert of.instance.process is not None
        self._at = Path(f"/proc/{of.instance.process.pid}")

    def cpu_s(self) -> float:
        fields = (self._at / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def peak_mib(self) -> float:
        lines = dict(line.split(":", 1) for line in (self._at / "status").read_text().splitlines() if ":" in line)
        return int(lines["VmHWM"].split()[0]) / 1024


async def send(session: aiohttp.ClientSession, url: str, body: bytes, headers: dict[str, str]) -> int:
    async with session.post(url, data=body, headers={"content-type": "application/json", **headers}) as answer:
        await answer.read()
        return answer.status


async def test_compressed_body_of_a_stranger_takes_no_time(daemon: Prepared, session: aiohttp.ClientSession) -> None:
    figures = Figures(daemon)
    before_s = figures.cpu_s()
    status = await send(session, f"{daemon.url}/v1/embeddings", zeros(), {"content-encoding": "gzip"})
    assert status == 401 and figures.cpu_s() - before_s < 0.3


async def test_compressed_body_of_a_key_without_money_takes_no_time(
    daemon: Prepared, session: aiohttp.ClientSession
) -> None:
    poor = await tenant(daemon, balance="")
    figures, headers = Figures(daemon), {**poor.headers, "content-encoding": "gzip"}
    await send(session, f"{daemon.url}/v1/embeddings", gzip.compress(b"{}"), headers)
    before_s = figures.cpu_s()
    for body in (gzip.compress(NUMBERS), zeros()):
        assert await send(session, f"{daemon.url}/v1/embeddings", body, headers) == 429
    assert figures.cpu_s() - before_s < 0.3


@pytest.mark.parametrize("path", PLACES)
async def test_body_of_millions_of_parts_takes_little_memory_and_time(
    path: str, daemon: Prepared, session: aiohttp.ClientSession
) -> None:
    """It takes the memory of the body, and 32 MB for all else."""
    figures = Figures(daemon)
    await send(session, f"{daemon.url}{path}", PLACES[path] % b"", daemon.headers)
    for unit, last in ((b"0,", b""), (b"[],", b""), (b"0,", b"{},"), (b"[],", b'"",')):
        body = PLACES[path] % (unit * (SIZE_MIB * MIB // len(unit)) + last)
        before_mib, before_s = figures.peak_mib(), figures.cpu_s()
        assert await send(session, f"{daemon.url}{path}", body, daemon.headers) < 500
        assert figures.peak_mib() - before_mib < SIZE_MIB + 32
        assert figures.cpu_s() - before_s < 2


async def test_others_are_served_while_a_large_body_is_read(daemon: Prepared, session: aiohttp.ClientSession) -> None:
    body = b'{"model":"nobody","input":[' + b'{"a":[[0]]},' * 1_000_000 + b"0]}"
    async with session.get(f"{daemon.url}/healthz") as answer:
        assert answer.status == 200
    sending = asyncio.ensure_future(send(session, f"{daemon.url}/v1/embeddings", body, daemon.headers))
    served = 0
    while not sending.done():
        async with session.get(f"{daemon.url}/healthz") as answer:
            assert answer.status == 200
        served += 1
    assert await sending < 500 and served > 20

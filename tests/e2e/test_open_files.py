"""The real daemon at its limit of open files: what it takes on it can do, and it blames nobody else for the rest."""

from __future__ import annotations

import asyncio
import os
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from support.daemon import Instance, Prepared, prepared
from support.process import ROOT
from support.provider import FakeProvider, fake
from support.tenants import charges, held, rows
from support.wire import CHAT, begin_stream, connect, post

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root sees the files of a process without core dumps")
LIMIT, ROOM = 40, 4


class Limited(Instance):
    """Its daemon may have so many files open, whatever it asks for."""

    def command(self, *arguments: str) -> list[str]:
        words = super().command(*arguments)
        return ["sh", "-c", f'ulimit -n {LIMIT} && exec "$@"', "sh", *words] if "serve" in arguments else words


@pytest.fixture
async def client(tmp_path: Path, fake_provider: FakeProvider) -> AsyncIterator[Prepared]:
    made = await prepared(tmp_path, fake_provider.base_url)
    yield made
    await made.instance.kill()


@asynccontextmanager
async def used_up(instance: Instance) -> AsyncIterator[int]:
    """The daemon can open no other file; yields its process id."""
    assert instance.process is not None
    process = instance.process.pid
    soft, hard = resource.prlimit(process, resource.RLIMIT_NOFILE)
    try:
        lowest, calm = -1, 0
        while calm < 5:  # what it does at its start is over
            found = lowest_free(process)
            calm, lowest = (calm + 1 if found == lowest else 0), found
            resource.prlimit(process, resource.RLIMIT_NOFILE, (lowest, hard))
            await asyncio.sleep(0.05)
        yield process
    finally:
        resource.prlimit(process, resource.RLIMIT_NOFILE, (soft, hard))


def lowest_free(process: int) -> int:
    taken = {int(each.name) for each in Path(f"/proc/{process}/fd").iterdir()}
    return next(number for number in range(len(taken) + 1) if number not in taken)


def cpu_s(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def test_daemon_at_its_limit_of_open_files_serves_as_many_clients_as_it_announced(
    client: Prepared, fake_provider: FakeProvider
) -> None:
    limited = Limited(client.instance.folder)
    await limited.start()
    at = Prepared(limited, client.key, client.key_id, client.user, client.user_id, client.provider_keys)
    assert f"{LIMIT} open files are enough for {ROOM}" in limited.log_text() and "LimitNOFILE" in limited.log_text()
    streams = [await begin_stream(at, CHAT, fake(gate="on", gate_after=2)) for _ in range(ROOM)]
    await asyncio.gather(*(reader.readuntil(b"data:") for reader, _ in streams))
    for _ in range(3 * ROOM):
        reader, writer = await begin_stream(at, CHAT)
        try:
            assert await reader.read() == b"", "one client too many gets no answer, and no blame of the provider"
        except ConnectionError:
            pass
        writer.close()
    await fake_provider.open("on")
    for reader, writer in streams:
        assert b"[DONE]" in await reader.read()
        writer.close()
    assert await limited.stop() == 0
    assert [(row["status_code"], row["error"]) for row in await rows(client)] == [(200, None)] * ROOM


async def test_daemon_with_too_few_open_files_does_not_start(client: Prepared) -> None:
    words = ["sh", "-c", 'ulimit -n 33 && exec "$@"', "sh", *client.instance.command("serve", "--port", "0")]
    process = await asyncio.create_subprocess_exec(*words, stderr=asyncio.subprocess.PIPE, cwd=ROOT)
    _, told = await process.communicate()
    assert process.returncode == 1
    assert b"33 open files are too few" in told and b"LimitNOFILE=" in told and b"Traceback" not in told


@needs_root
async def test_daemon_out_of_files_refuses_with_503_and_does_not_count_a_provider_fault(
    client: Prepared, fake_provider: FakeProvider, session: aiohttp.ClientSession
) -> None:
    await client.instance.start(SOFTIX_ROUTING_BREAKER_FAILURES="1")
    async with session.get(f"{client.url}/v1/models", headers=client.headers) as answer:
        assert answer.status == 200  # over the connection that the requests go over
    async with used_up(client.instance):
        for _ in range(3):
            answered = await post(session, client.url, CHAT, client.headers)
            assert (answered.status, answered.headers["retry-after"]) == (503, "1"), answered.body
            assert b'"out_of_files"' in answered.body and b"provider could not be reached" not in answered.body
    answered = await post(session, client.url, CHAT, client.headers)
    assert answered.status == 200
    assert await client.instance.stop() == 0
    found = [(row["status_code"], row["error"], float(row["charge"]) > 0) for row in await rows(client)]
    assert found == [(200, None, True), *[(503, "out_of_files", False)] * 3]
    assert await held(client) == 0 and len(await charges(client)) == 1
    assert "Traceback" not in client.instance.log_text()


@needs_root
@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
async def test_clients_that_wait_for_an_open_file_cost_no_cpu_or_log_lines(
    client: Prepared, session: aiohttp.ClientSession, tmp_path: Path, loop: str
) -> None:
    """The CPU does not spin, the log is not filled, and it listens again afterwards."""
    (tmp_path / "stub").mkdir()
    (tmp_path / "stub" / "uvloop.py").write_text("raise ImportError\n" if loop == "asyncio" else "")
    path = [] if loop == "uvloop" else [str(tmp_path / "stub")]
    await client.instance.start(PYTHONPATH=os.pathsep.join([*path, str(ROOT)]))
    async with used_up(client.instance) as process:
        waiting = [(await connect(client))[1] for _ in range(20)]
        before_s, lines = cpu_s(process), client.instance.log_text().count("\n")
        await asyncio.sleep(1.5)
        assert cpu_s(process) - before_s < 0.3
        assert client.instance.log_text().count("\n") - lines < 10
    for writer in waiting:
        writer.close()
    async with asyncio.timeout(20):
        assert (await post(session, client.url, CHAT, client.headers)).status == 200
    assert await client.instance.stop() == 0

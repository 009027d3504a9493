"""Signals to the real daemon, while a stream runs."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from support.certificates import write_pair
from support.daemon import Instance, Prepared, prepared
from support.process import ROOT
from support.provider import FakeProvider, fake
from support.tenants import rows
from support.wire import CHAT, begin_stream, post

BIG = {"messages": [{"role": "user", "content": "x" * (3 << 20)}]}


@pytest.fixture
async def client(tmp_path: Path, fake_provider: FakeProvider) -> AsyncIterator[Prepared]:
    made = await prepared(tmp_path, fake_provider.base_url)
    yield made
    await made.instance.kill()


def configure(client: Prepared, text: str) -> None:
    (client.instance.data_dir / "config.toml").write_text(text)


async def logged(client: Prepared, words: str, count: int = 1) -> str:
    """The line, when the daemon has written it so many times."""
    return await written(client.instance.log, words, count)


async def written(place: Path, words: str, count: int = 1) -> str:
    async with asyncio.timeout(20):
        while True:
            found = [line for line in place.read_text().splitlines() if words in line] if place.exists() else []
            if len(found) >= count:
                return found[-1]
            await asyncio.sleep(0.02)


async def test_signals_during_a_stream_do_not_cut_it(client: Prepared, fake_provider: FakeProvider) -> None:
    await client.instance.start()
    reader, writer = await begin_stream(client, CHAT, fake(gate="on", gate_after=2))
    await fake_provider.waiting("on")
    for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP):
        client.instance.send(number)
    await logged(client, "reloaded the configuration")
    client.instance.send(signal.SIGQUIT)
    await fake_provider.open("on")
    whole = await reader.read()
    assert whole.endswith(b"0\r\n\r\n") and b"[DONE]" in whole
    assert await client.instance.wait() == 0
    writer.close()
    [row] = await rows(client)
    assert (row["usage_source"], row["error"]) == ("provider", None) and float(row["charge"]) > 0


async def test_reload_applies_what_can_change_and_names_the_rest(
    client: Prepared, session: aiohttp.ClientSession
) -> None:
    configure(client, "[server]\nmax_body_mib = 2\n")
    await client.instance.start()
    assert (await post(session, client.url, CHAT, client.headers, json=BIG)).status == 413
    configure(client, "[server]\nmax_body_mib = 8\n[storage]\ncheckpoint_pages = 7\n")
    client.instance.send(signal.SIGHUP)
    assert "server.max_body_mib" in await logged(client, "reloaded the configuration")
    assert "storage.checkpoint_pages" in await logged(client, "read at the start only")
    assert (await post(session, client.url, CHAT, client.headers, json=BIG)).status == 200
    assert await client.instance.stop() == 0


@pytest.mark.parametrize("text", ["[server\n", "[server]\nmax_body_mib = 0\n", "[server]\nprot = 1\n"])
async def test_reload_of_an_invalid_file_changes_nothing(
    client: Prepared, session: aiohttp.ClientSession, text: str
) -> None:
    configure(client, "[server]\nmax_body_mib = 2\n")
    await client.instance.start()
    configure(client, text)
    client.instance.send(signal.SIGHUP)
    assert "config.toml" in await logged(client, "nothing was reloaded")
    assert (await post(session, client.url, CHAT, client.headers)).status == 200
    assert (await post(session, client.url, CHAT, client.headers, json=BIG)).status == 413
    configure(client, "[server]\nmax_body_mib = 8\n")
    client.instance.send(signal.SIGHUP)
    await logged(client, "reloaded the configuration")
    assert (await post(session, client.url, CHAT, client.headers, json=BIG)).status == 200
    assert await client.instance.stop() == 0


async def test_reload_opens_the_log_file_anew(client: Prepared) -> None:
    log = client.instance.data_dir / "softix.log"
    configure(client, '[log]\nfile = "softix.log"\n')
    await client.instance.start()
    client.instance.send(signal.SIGHUP)
    await written(log, "reloaded the configuration")
    assert log.stat().st_mode & 0o777 == 0o600
    rotated = log.rename(log.with_name("softix.log.1"))
    client.instance.send(signal.SIGHUP)
    await written(log, "reloaded the configuration")
    assert len(rotated.read_text().splitlines()) == 1, "what was written before stays there"
    assert await client.instance.stop() == 0


async def test_reload_takes_a_new_certificate_and_reports_an_unusable_one(client: Prepared, tmp_path: Path) -> None:
    chain, key = write_pair(tmp_path, "first")
    await client.instance.start(SOFTIX_SERVER_TLS_CERT=str(chain), SOFTIX_SERVER_TLS_KEY=str(key))
    pair = chain.read_text(), key.read_text()
    key.write_text("nonsense")
    client.instance.send(signal.SIGHUP)
    await logged(client, "the new certificate cannot be used")
    write_pair(tmp_path, "second")
    client.instance.send(signal.SIGHUP)
    await logged(client, "took a new certificate")
    assert pair != (chain.read_text(), key.read_text())
    assert await client.instance.stop() == 0


class FirstOfAll(Instance):
    """Its daemon is PID 1 of a namespace of its own, as in a container."""

    def command(self, *arguments: str) -> list[str]:
        words = super().command(*arguments)
        return ["unshare", "--pid", "--fork", *words] if "serve" in arguments else words

    def send(self, number: int) -> None:
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        os.kill(int(children[0]), number)


def may_unshare() -> bool:
    try:
        return subprocess.run(["unshare", "--pid", "--fork", "true"], capture_output=True).returncode == 0
    except OSError:
        return False


@pytest.mark.skipif(not may_unshare(), reason="namespaces are not permitted here")
async def test_daemon_as_the_first_process_of_a_container_obeys_signals(client: Prepared) -> None:
    instance = FirstOfAll(client.instance.folder)
    for last in (signal.SIGTERM, signal.SIGQUIT, signal.SIGINT):
        await instance.start()
        for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP):
            instance.send(number)
        await logged(client, "reloaded the configuration")
        assert await instance.stop(last) == 0
        instance.log.unlink()


async def test_reload_during_requests_fails_none_of_them(client: Prepared, session: aiohttp.ClientSession) -> None:
    """Requests go through meanwhile, and none sees half of two configurations."""
    await client.instance.start()
    until_s = time.monotonic() + 1
    while time.monotonic() < until_s:
        client.instance.send(signal.SIGHUP)
        assert (await post(session, client.url, CHAT, client.headers)).status == 200
    assert await client.instance.stop() == 0


def test_example_service_unit_reloads_with_sighup() -> None:
    unit = (ROOT / "examples" / "softix.service").read_text("utf-8").splitlines()
    assert [line for line in unit if line.startswith("ExecReload=")] == ["ExecReload=/bin/kill -HUP $MAINPID"]

"""How the daemon ends, and what keeps it from starting: one clear line, and an exit code."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from support.certificates import write_pair
from support.daemon import Finished, Prepared, prepared
from support.provider import FakeProvider, fake
from support.tenants import held, rows
from support.wire import CHAT, begin_stream, connect, post

from softix_proxy.storage.sqlite.core import engine


@pytest.fixture
async def client(tmp_path: Path, fake_provider: FakeProvider) -> AsyncIterator[Prepared]:
    made = await prepared(tmp_path, fake_provider.base_url)
    yield made
    await made.instance.kill()


async def test_stream_at_shutdown_ends_whole_while_new_connections_are_refused(
    client: Prepared, fake_provider: FakeProvider
) -> None:
    await client.instance.start()
    reader, writer = await begin_stream(client, CHAT, fake(gate="on", gate_after=2))
    _, idle = await connect(client)
    await fake_provider.waiting("on")
    client.instance.send(signal.SIGTERM)
    await _closed(client)
    await fake_provider.open("on")
    whole = await reader.read()
    assert whole.endswith(b"0\r\n\r\n") and b"[DONE]" in whole
    assert await client.instance.wait() == 0
    for each in (writer, idle):
        each.close()
    [row] = await rows(client)
    assert (row["usage_source"], row["error"]) == ("provider", None)


async def test_daemon_that_leaves_serves_on_and_closes_each_connection_after_its_answer(
    client: Prepared, fake_provider: FakeProvider
) -> None:
    await client.instance.start(SOFTIX_SERVER_LAME_DUCK_S="1000")
    async with aiohttp.ClientSession() as session:
        kept = await post(session, client.url, CHAT, client.headers)
        assert kept.status == 200 and kept.headers.get("connection") != "close"
        reader, writer = await begin_stream(client, CHAT, fake(gate="on", gate_after=2))
        await fake_provider.waiting("on")
        client.instance.send(signal.SIGTERM)
        async with asyncio.timeout(20):
            while (await _readiness(session, client.url))[0] != 503:
                await asyncio.sleep(0.01)
        for _ in range(3):
            answer = await post(session, client.url, CHAT, client.headers)
            assert (answer.status, answer.headers["connection"]) == (200, "close")
            streamed = await post(session, client.url, CHAT, client.headers, json={"stream": True})
            assert (streamed.status, streamed.headers["connection"]) == (200, "close")
            status, told = await _readiness(session, client.url)
            assert (status, told["reason"]) == (503, "stopping")
        refused = await post(session, client.url, CHAT, {"authorization": "Bearer none"})
        assert (refused.status, refused.headers["connection"]) == (401, "close")
        await fake_provider.open("on")
        whole = await reader.read()
        assert whole.endswith(b"0\r\n\r\n") and b"[DONE]" in whole
        writer.close()
        client.instance.send(signal.SIGTERM)  # a second one does not wait
        assert await client.instance.wait() == 0
    assert len(await rows(client)) == 8


async def _readiness(session: aiohttp.ClientSession, url: str) -> tuple[int, dict[str, Any]]:
    async with session.get(f"{url}/readyz") as answer:
        return answer.status, await answer.json()


@pytest.mark.parametrize("second", [False, True])
async def test_stream_that_outlasts_the_shutdown_is_cut_and_settled(
    client: Prepared, fake_provider: FakeProvider, second: bool
) -> None:
    """When the time is up, or at a second signal."""
    await client.instance.start(SOFTIX_SERVER_DRAIN_S="1000" if second else "0.1")
    reader, writer = await begin_stream(client, CHAT, fake(gate="on", gate_after=3))
    await fake_provider.waiting("on")
    await reader.readuntil(b"data:")
    client.instance.send(signal.SIGTERM)
    if second:
        await _closed(client)
        client.instance.send(signal.SIGTERM)
    assert await client.instance.wait() == 0
    try:
        rest = await reader.read()
    except ConnectionError:
        rest = b""
    assert not rest.endswith(b"0\r\n\r\n"), "a cut stream must not look whole"
    writer.close()
    [row] = await rows(client)
    assert row["error"] == "shutting_down" and float(row["charge"]) > 0
    assert await held(client) == 0
    assert client.verify()["ok"] is True


async def _closed(client: Prepared) -> None:
    """Returns when the port is: what the daemon does first when it stops."""
    async with asyncio.timeout(20):
        while True:
            try:
                _, writer = await connect(client)
            except ConnectionError:
                return
            writer.close()
            await asyncio.sleep(0.02)


def refused(done: Finished, code: int, *words: str) -> None:
    """One line that says what and what to do, and no traceback."""
    assert done.code == code, done
    lines = done.stderr.strip().splitlines()
    assert lines and "Traceback" not in done.stderr and len(lines) <= 3, done.stderr
    for word in words:
        assert word in done.stderr, done.stderr


async def test_serve_on_a_port_that_is_taken_is_refused(client: Prepared) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        refused(client.instance.run("serve", "--port", port), 1, port, "--port")


async def test_serve_without_a_master_key_is_refused(client: Prepared) -> None:
    (client.instance.data_dir / "master.key").rename(client.instance.folder / "elsewhere")
    refused(client.instance.run("serve", "--port", "0"), 1, "master.key")


async def test_serve_with_a_wrong_master_key_is_refused_without_showing_it(client: Prepared) -> None:
    key = client.instance.data_dir / "master.key"
    text = key.read_text()
    key.write_text("".join(reversed(text.strip())) + "\n")
    done = client.instance.run("serve", "--port", "0")
    refused(done, 1, "master key")
    assert text.strip() not in done.stderr


async def test_serve_with_a_database_of_a_newer_version_is_refused(client: Prepared) -> None:
    books = engine.connect(client.instance.data_dir / "softix.db")
    books.execute("PRAGMA user_version = 999")
    books.close()
    refused(client.instance.run("serve", "--port", "0"), 1, "newer")


async def test_serve_without_a_database_is_refused_with_init_as_the_remedy(client: Prepared) -> None:
    (client.instance.data_dir / "softix.db").unlink()
    refused(client.instance.run("serve", "--port", "0"), 1, "softix init")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[server\nport = 1", ("config.toml", "line 1")),
        ("[server]\nprot = 1", ("prot", "did you mean")),
        ('[server]\nport = "many"', ("port",)),
    ],
)
async def test_serve_with_an_unreadable_configuration_is_refused(
    client: Prepared, text: str, words: tuple[str, ...]
) -> None:
    (client.instance.data_dir / "config.toml").write_text(text)
    refused(client.instance.run("serve", "--port", "0"), 2, *words)


async def test_serve_with_tls_takes_a_new_certificate_without_a_restart(client: Prepared, tmp_path: Path) -> None:
    chain, key = write_pair(tmp_path, "first")
    variables = {"SOFTIX_SERVER_TLS_CERT": str(chain), "SOFTIX_SERVER_TLS_KEY": str(key)}
    async with client.instance.serving(**variables):
        assert client.url.startswith("https://")
        context = ssl.create_default_context(cafile=chain)
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{client.url}/v1/models", headers=client.headers, ssl=context) as answer,
        ):
            assert answer.status == 200
        assert await _shown(client) == "first"
        write_pair(tmp_path, "second")
        assert await _shown(client) == "second"
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await _shown(client, ssl.TLSVersion.TLSv1_2)


async def _shown(client: Prepared, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> str:
    """The name in the certificate that a new connection is shown."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode, context.maximum_version = False, ssl.CERT_NONE, newest
    host, port = client.url.rpartition("/")[2].rsplit(":", 1)
    _, writer = await asyncio.open_connection(host, int(port), ssl=context)
    found = x509.load_der_x509_certificate(writer.get_extra_info("ssl_object").getpeercert(binary_form=True))
    writer.close()
    return str(found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


async def test_serve_with_json_prints_one_line_with_its_url(client: Prepared) -> None:
    async with client.instance.serving():
        [line] = client.instance.output.read_text().splitlines()
        assert json.loads(line) == {"event": "serving", "url": client.url}

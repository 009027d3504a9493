"""/metrics, and a real nginx in front: what it tells is the operator's, however the proxy is set up."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import pytest
from support.daemon import Prepared, prepared
from support.provider import FakeProvider

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
needs_nginx = pytest.mark.skipif(NGINX is None, reason="nginx is not installed here")
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "nginx.conf"
WAYS = {
    "plain": "",
    "with the name": "proxy_http_version 1.1; proxy_set_header Connection ''; proxy_set_header Host $host;",
    "with the address": "proxy_http_version 1.1; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
    "with the other address": "proxy_http_version 1.1; proxy_set_header X-Real-IP $remote_addr;",
}
SPELLINGS = ("/metrics", "/v1/metrics", "//metrics", "/METRICS", "/%6detrics", "/v1/x/../metrics", "/openai/metrics")


@contextmanager
def nginx(url: str, directives: str) -> Iterator[str]:
    """One in front of this URL, at a socket of its own. Yields the socket's path."""
    assert NGINX is not None
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        config = (
            f"daemon off; master_process off; pid {place}/pid; error_log stderr crit; "
            f"{'user root;' if os.geteuid() == 0 else ''} events {{ }} "
            f"http {{ access_log off; {temporary(place)} server {{ listen unix:{place}/socket; "
            f"location / {{ proxy_pass {url}; {directives} }} }} }}"
        )
        (place / "nginx.conf").write_text(config)
        command = [NGINX, "-p", folder, "-c", f"{place}/nginx.conf"]
        assert subprocess.run([*command, "-t", "-q"], capture_output=True, check=False).returncode == 0
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            yield f"{place}/socket"
        finally:
            process.terminate()
            process.wait(20)


def temporary(place: Path) -> str:
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    return " ".join(f"{kind}_temp_path {place}/{kind};" for kind in kinds)


async def asked(socket: str, path: str, host: str = "ai.example.com") -> tuple[int, bytes]:
    """Through the proxy, once it listens."""
    async with asyncio.timeout(20):
        while True:
            try:
                reader, writer = await asyncio.open_unix_connection(socket)
                break
            except OSError:
                await asyncio.sleep(0.02)
        writer.write(f"GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n".encode())
        answer = await reader.read()
    writer.close()
    return int(answer.split()[1]), answer


@needs_nginx
@pytest.mark.parametrize("way", WAYS)
async def test_metrics_through_a_proxy_are_not_found(
    way: str, client: Prepared, session: aiohttp.ClientSession
) -> None:
    with nginx(client.url, WAYS[way]) as socket:
        assert (await asked(socket, "/healthz"))[0] == 200
        for path in SPELLINGS:
            status, answer = await asked(socket, path)
            assert status == 404 and b"softix_requests" not in answer, path
    async with session.get(f"{client.url}/metrics") as direct:
        assert direct.status == 200 and "softix_requests" in await direct.text()


@needs_nginx
async def test_example_proxy_directives_serve_clients_and_hide_metrics(client: Prepared) -> None:
    location = EXAMPLE.read_text().split("location / {")[1].split("}")[0]
    directives = " ".join(line for line in location.splitlines() if "proxy_pass" not in line)
    with nginx(client.url, directives) as socket:
        assert (await asked(socket, "/readyz"))[0] == 200
        assert (await asked(socket, "/metrics"))[0] == 404


@pytest.fixture
async def apart(tmp_path: Path, shared_provider: FakeProvider) -> AsyncIterator[Prepared]:
    made = await prepared(tmp_path, shared_provider.base_url)
    async with made.instance.serving(SOFTIX_SERVER_METRICS_PORT="0"):
        yield made


async def test_metrics_with_their_own_port_are_served_only_there(
    apart: Prepared, session: aiohttp.ClientSession
) -> None:
    """What nginx passes on cannot be there: nothing but its own port leads to it."""
    lines = [json.loads(line) for line in apart.instance.log_text().splitlines()]
    [there] = [line["url"] for line in lines if line.get("event") == "metrics are told at"]
    async with session.get(there) as told:
        assert told.status == 200 and "softix_open_requests" in await told.text()
    async with session.get(f"{apart.url}/metrics") as refused:
        assert refused.status == 404 and "metrics_port" in await refused.text()
    base = there.removesuffix("/metrics")
    async with session.get(f"{base}/v1/models", headers=apart.headers) as nothing:
        assert nothing.status == 404

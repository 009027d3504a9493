"""The proxies that are measured, each as a process of its own; every one ends with the run."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from softix_proxy import assembly, settings
from softix_proxy.domain.access.users import UserRole
from softix_proxy.domain.catalog.providers import ProviderType
from softix_proxy.domain.core.money import parse_usd
from softix_proxy.domain.pricing.rates import PriceSheet
from softix_proxy.operations.access import keys, users
from softix_proxy.operations.catalog import models, providers
from softix_proxy.operations.ledger import balance

_TICKS = os.sysconf("SC_CLK_TCK")
BEFORE = "softix before"
_PREPARE = """
import asyncio, sys
from pathlib import Path
from bench.proxies import prepare
print(asyncio.run(prepare(Path(sys.argv[1]), sys.argv[2])))
"""
_NGINX = """
worker_processes 1; daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 8192; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; client_max_body_size 64m;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  upstream provider {{ server {provider}; keepalive 4096; }}
  server {{ listen 127.0.0.1:{port} backlog=4096; location / {{
    proxy_pass http://provider; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;
    proxy_request_buffering off; keepalive_requests 1000000; }} }}
}}
"""


@dataclass
class Proxy:
    name: str
    process: subprocess.Popen[bytes]
    url: str
    key: str = "none"
    start_s: float = 0.0
    data_dir: Path | None = None
    headers: str = ""
    """What else each request to it must say; lines that end in CRLF."""

    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def memory_mb(self, what: str = "VmRSS") -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) * 1024 / 1e6 for line in status.splitlines() if line.startswith(what + ":"))

    def forget_peak(self) -> None:
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")


class Stand:
    """Starts things, and ends all of them."""

    def __init__(self, against: Path | None = None) -> None:
        """`against` is a checkout of another commit, to be measured beside this one."""
        self.against = against
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        self.stack = ExitStack()
        self.folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.provider_url = self._told(self._start("-m", "bench.provider"))

    def close(self) -> None:
        self.stack.close()

    def _start(self, *arguments: str, checkout: Path | None = None) -> subprocess.Popen[bytes]:
        return self.run([sys.executable, *arguments], stdout=subprocess.PIPE, checkout=checkout)

    def run(
        self, command: list[str], stdout: int = subprocess.DEVNULL, checkout: Path | None = None
    ) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            command, stdout=stdout, stderr=subprocess.DEVNULL, cwd=checkout, env=_environment(checkout)
        )
        self.stack.callback(process.wait)
        self.stack.callback(process.kill)
        return process

    @staticmethod
    def _told(process: subprocess.Popen[bytes]) -> str:
        assert process.stdout is not None
        return str(json.loads(process.stdout.readline())["url"])

    def bare(self) -> Proxy:
        process = self._start("-m", "bench.bare", self.provider_url)
        return Proxy("bare aiohttp", process, self._told(process))

    def nginx(self) -> Proxy | None:
        program = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
        if program is None:
            return None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        folder = self.folder / "nginx"
        folder.mkdir()
        config = folder / "nginx.conf"
        config.write_text(_NGINX.format(folder=folder, port=port, provider=self.provider_url.removeprefix("http://")))
        process = self.run([program, "-c", str(config), "-p", str(folder)])
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return Proxy("nginx", process, f"http://127.0.0.1:{port}")
            time.sleep(0.02)
        return None

    def softix(self) -> Proxy:
        place = Path(tempfile.mkdtemp(dir=self.folder)) / "softix"
        return self._serve(place, asyncio.run(prepare(place, self.provider_url)))

    def before(self) -> Proxy | None:
        """The other checkout's softix, on an instance that its own code made; None where there is none."""
        if self.against is None:
            return None
        place = Path(tempfile.mkdtemp(dir=self.folder)) / "softix"
        command = [sys.executable, "-c", _PREPARE, str(place), self.provider_url]
        made = subprocess.run(
            command, cwd=self.against, env=_environment(self.against), capture_output=True, text=True, check=True
        )
        return self._serve(place, made.stdout.strip(), BEFORE, self.against)

    def reopen(self, proxy: Proxy) -> Proxy:
        """Starts a softix again that was ended."""
        assert proxy.data_dir is not None
        return self._serve(proxy.data_dir, proxy.key, proxy.name, self.against if proxy.name == BEFORE else None)

    def _serve(self, place: Path, key: str, name: str = "softix", checkout: Path | None = None) -> Proxy:
        began_s = time.monotonic()
        process = self._start(
            "-m", "softix_proxy", "--data-dir", str(place), "--json", "serve", "--port", "0", checkout=checkout
        )
        url = self._told(process)
        return Proxy(name, process, url, key, time.monotonic() - began_s, place)


def _environment(checkout: Path | None) -> dict[str, str] | None:
    """In which a checkout's own code is imported, whatever is installed."""
    return None if checkout is None else {**os.environ, "PYTHONPATH": str(checkout)}


async def prepare(data_dir: Path, provider_url: str) -> str:
    """An instance with a priced model, a user with money, and a key."""
    made = settings.load(None, data_dir, {})
    await assembly.initialise(made)
    sheet = PriceSheet.parse({"bands": [{"prices": {"input": "0.15", "cached_input": "0.075", "output": "0.60"}}]})
    async with assembly.open_instance(made) as opened:
        storage, vault = opened.storage, await opened.vault()
        kind = ProviderType.OPENAI_COMPATIBLE
        await providers.add(storage, vault, name="bench", kind=kind, base_url=provider_url, key="sk-bench")
        await models.add(
            storage, name="gpt-bench", provider="bench", sheet=sheet, context_tokens=10**8, max_output_tokens=4096
        )
        await users.create(storage, name="bench", email="bench@example.org", role=UserRole.USER, postpaid=False)
        await balance.add(storage, "bench@example.org", parse_usd("100000.00"))
        return (await keys.create(storage, vault, user="bench")).text

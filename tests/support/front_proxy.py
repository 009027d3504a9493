"""A real nginx in front of a daemon, which keeps its connections to it, as proxies do that are set up for speed."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@contextmanager
def front_proxy(url: str) -> Iterator[str]:
    """Yields the path of the socket at which it listens. One connection to the daemon is kept and shared by all."""
    assert NGINX is not None
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        files = " ".join(f"{kind}_temp_path {place}/{kind};" for kind in _TEMPORARY)
        (place / "nginx.conf").write_text(
            f"daemon off; master_process off; pid {place}/pid; error_log stderr crit; "
            f"{'user root;' if os.geteuid() == 0 else ''} events {{ }} "
            f"http {{ access_log off; {files} "
            f"upstream softix {{ server {url.removeprefix('http://')}; keepalive 1; }} "
            f"server {{ listen unix:{place}/socket; location / {{ proxy_pass http://softix; proxy_http_version 1.1; "
            f'proxy_set_header Connection ""; proxy_set_header Host $host; proxy_request_buffering off; }} }} }}'
        )
        process = subprocess.Popen([NGINX, "-p", folder, "-c", f"{place}/nginx.conf"], stderr=subprocess.DEVNULL)
        try:
            yield f"{place}/socket"
        finally:
            process.terminate()
            process.wait(20)


async def connect_to(socket: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Once it listens."""
    async with asyncio.timeout(20):
        while True:
            try:
                return await asyncio.open_unix_connection(socket)
            except OSError:
                await asyncio.sleep(0.02)

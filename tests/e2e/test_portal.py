"""`softix portal` as a process of its own, and the portal beside `softix serve`, by their commands and signals."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
from pathlib import Path

import aiohttp
import pytest
from support.daemon import Instance
from support.portal_daemon import free_port
from support.process import environment

from softix_proxy import assembly


@pytest.fixture
async def instance(tmp_path: Path) -> Instance:
    made = Instance(tmp_path)
    await assembly.initialise(made.settings)
    return made


async def status(url: str) -> int:
    async with aiohttp.ClientSession() as session, session.get(url, allow_redirects=False) as answer:
        return answer.status


async def test_portal_command_serves_reloads_and_stops(instance: Instance) -> None:
    port = free_port()
    url = f"http://localhost:{port}"
    (instance.data_dir / "config.toml").write_text('[portal]\nregistration = "closed"\n')
    process = await asyncio.create_subprocess_exec(
        *instance.command("--json", "portal", "--port", str(port), "--public-url", url),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    try:
        assert process.stdout is not None and process.stderr is not None
        assert json.loads(await process.stdout.readline()) == {"event": "serving", "portal_url": url}
        assert await status(f"{url}/sign-in") == 200
        assert await status(f"{url}/register") == 404
        (instance.data_dir / "config.toml").write_text('[portal]\nregistration = "open"\n')
        process.send_signal(signal.SIGHUP)
        while b"reloaded the configuration" not in (line := await process.stderr.readline()):
            assert line, "it ended"
        assert await status(f"{url}/register") == 200
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "portal.public_url is not set"),
        (("--public-url", "http://portal.example.org"), "is plain http"),
        (("--public-url", "https://portal.example.org/portal"), "is not the address of a site"),
    ],
)
def test_portal_command_without_a_usable_address_is_refused_in_one_line(
    instance: Instance, arguments: tuple[str, ...], said: str
) -> None:
    done = instance.run("portal", *arguments)
    assert done.code == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_setting_of_an_address_that_cannot_work_is_refused_by_every_command(instance: Instance) -> None:
    done = instance.run("users", "list", SOFTIX_PORTAL_PUBLIC_URL="http://portal.example.org")
    assert done.code == 2
    assert "SOFTIX_PORTAL_PUBLIC_URL must be the https:// address of a site" in done.stderr
    done = instance.run("users", "list", SOFTIX_PORTAL_ENABLED="true")
    assert done.code == 2
    assert "portal.enabled and portal.public_url belong together" in done.stderr


async def test_serve_with_the_portal_tells_both_addresses(instance: Instance) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = {"SOFTIX_PORTAL_ENABLED": "true", "SOFTIX_PORTAL_PORT": str(port), "SOFTIX_PORTAL_PUBLIC_URL": url}
    async with instance.serving(**settings):
        assert json.loads(instance.output.read_text())["portal_url"] == url
        assert await status(f"{url}/healthz") == 200
        again = instance.run("portal", "--port", str(port), "--public-url", url)
        assert (again.code, "the portal cannot listen on 127.0.0.1" in again.stderr) == (1, True)

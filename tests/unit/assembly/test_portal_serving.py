"""The portal beside the proxy and on its own: what it needs at the start, and what it shares."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from support import newer
from support.portal_daemon import free_port
from support.process import environment

from softix_proxy import assembly
from softix_proxy.assembly.portal_serving import public_url, serving_portal
from softix_proxy.domain.core.errors import BadInputError, FailureError
from softix_proxy.domain.instance.migrations import FIRST_WITHOUT_REQUESTS
from softix_proxy.settings import Settings
from softix_proxy.storage.sqlite.core import slots


def with_portal(settings: Settings, **portal: Any) -> Settings:
    port = free_port()
    values = {"enabled": True, "port": port, "public_url": f"http://localhost:{port}", **portal}
    return replace(settings, portal=replace(settings.portal, **values))


async def get(url: str, **headers: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers, allow_redirects=False) as answer:
        return answer.status, await answer.text()


async def test_daemon_with_the_portal_serves_both_and_stops_both(ready: Settings) -> None:
    settings = with_portal(ready)
    async with assembly.serving(settings) as daemon:
        assert daemon.portal is not None
        assert daemon.portal.url == settings.portal.public_url
        assert (await get(f"{daemon.portal.url}/sign-in"))[0] == 200
        assert (await get(f"{daemon.url}/healthz"))[0] == 200
        assert (await get(f"{daemon.url}/sign-in"))[0] == 404, "the proxy has no pages"
        assert (await get(f"{daemon.portal.url}/v1/models", Authorization="Bearer sx_live_a"))[0] == 404
        assert await daemon.stop(asyncio.Event()) == 0
        with pytest.raises(aiohttp.ClientConnectionError):
            await get(f"{daemon.portal.url}/sign-in")


async def test_daemon_without_the_portal_has_none(ready: Settings) -> None:
    async with assembly.serving(ready) as daemon:
        assert daemon.portal is None
        await daemon.stop(asyncio.Event())


async def test_portal_alone_serves_and_takes_changed_settings(ready: Settings) -> None:
    settings = with_portal(ready, enabled=False)
    async with serving_portal(settings) as running:
        assert (await get(f"{running.url}/register"))[0] == 404
        changed = replace(settings, portal=replace(settings.portal, registration="open", port=1))
        told = running.reload(changed)
        assert (told.taken, told.at_the_next_start) == (("portal.registration",), ("portal.port",))
        assert (await get(f"{running.url}/register"))[0] == 200
        assert await running.stop(asyncio.Event()) == 0


async def test_portal_alone_keeps_others_from_migrating_and_leaves_the_slots_of_requests(
    ready: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving_portal(with_portal(ready, enabled=False)) as running:
        [slot] = slots.living(ready.paths.database)
        assert slot >= FIRST_WITHOUT_REQUESTS
        with monkeypatch.context() as later:
            newer.know(later, newer.step(tmp_path))
            with pytest.raises(FailureError, match="would go on with the older schema") as caught:
                assembly.migrate(ready)
        assert caught.value.remedy == "stop softix portal, then try again"
        assert await running.stop(asyncio.Event()) == 0
    assert slots.living(ready.paths.database) == ()


async def test_daemon_takes_changed_settings_of_its_portal(ready: Settings) -> None:
    settings = with_portal(ready)
    async with assembly.serving(settings) as daemon:
        assert daemon.portal is not None
        daemon.reload(replace(settings, portal=replace(settings.portal, registration="open")))
        assert (await get(f"{daemon.portal.url}/register"))[0] == 200
        await daemon.stop(asyncio.Event())


async def test_portal_on_a_used_port_is_refused(ready: Settings) -> None:
    async with serving_portal(with_portal(ready)) as running:
        taken = with_portal(ready, port=running.settings.portal.port)
        with pytest.raises(FailureError, match="the portal cannot listen on"):
            async with serving_portal(taken):
                pytest.fail("it serves")
        await running.stop(asyncio.Event())


async def test_portal_without_an_address_is_refused(ready: Settings) -> None:
    with pytest.raises(BadInputError, match=r"portal\.public_url is not set"):
        async with serving_portal(ready):
            pytest.fail("it serves")


def test_portal_with_an_address_of_plain_http_is_refused(ready: Settings) -> None:
    with pytest.raises(BadInputError, match="plain http"):
        public_url(with_portal(ready, public_url="http://portal.example.org"))


async def test_portal_with_the_certificate_of_the_proxy_and_plain_http_is_refused(
    ready: Settings, tmp_path: Path
) -> None:
    pem = tmp_path / "tls.pem"
    settings = with_portal(ready)
    settings = replace(settings, server=replace(settings.server, tls_cert=pem, tls_key=pem))
    with pytest.raises(BadInputError, match=r"server\.tls_cert"):
        async with serving_portal(settings):
            pytest.fail("it serves")


FORBIDDEN = ("jinja2", "aiosmtplib", "zxcvbn_rs_py", "nacl", "stripe", "webauthn", "pyotp", "joserfc")


def test_daemon_without_the_portal_imports_nothing_of_it(tmp_path: Path) -> None:
    """In a process of its own: what a test imports counts for nothing there."""
    script = f"""
import asyncio, sys
from dataclasses import replace
from pathlib import Path
from softix_proxy import assembly

async def main():
    settings = assembly.read_settings(None, Path({str(tmp_path / "softix")!r}))
    await assembly.initialise(settings)
    async with assembly.serving(replace(settings, server=replace(settings.server, port=0))) as daemon:
        await daemon.stop(asyncio.Event())

asyncio.run(main())
ours = tuple(f"softix_proxy.{{name}}" for name in ("web.portal", "assembly.portal_serving", "mail.", "payments."))
print([name for name in sys.modules if name.startswith(ours) or name.split(".")[0] in {FORBIDDEN!r}])
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment(), timeout=60, check=False
    )
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr

"""`softix quickstart --portal`: from nothing to a person who sees the balance, in a minute."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path

from playwright.async_api import Browser
from support.browser import visiting
from support.portal_daemon import free_port
from support.process import environment

PASSWORD = "four words in a row"


async def test_printed_link_leads_to_the_overview_of_the_demo_account(browser: Browser, tmp_path: Path) -> None:
    url = f"http://localhost:{(port := free_port())}"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "softix_proxy", "--data-dir", str(tmp_path / "softix"), "--json"),
        *("quickstart", "--portal", "--port", "0"),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(SOFTIX_PORTAL_PORT=str(port)),
    )
    try:
        assert process.stdout is not None
        told = json.loads(await process.stdout.readline())
        async with visiting(browser, url) as demo:
            await demo.open(told["portal"].removeprefix(url))
            assert await demo.title() == "Choose your password"
            await demo.fill(password=PASSWORD)
            await demo.press("Set the password")
            await demo.fill(email="demo@localhost", password=PASSWORD)
            await demo.press("Sign in")
            assert demo.path == "/"
            assert "$5.00" in await demo.page.get_by_role("main").inner_text()
            await demo.picture("quickstart")
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()

"""Every page of the portal at 1280 and 360 pixels, light and dark: nothing that axe finds, and nothing too wide.

SOFTIX_PICTURES names a folder for the pictures, to be looked at by people.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser
from support.browser import NARROW, WIDE, Visit, pictures, visiting
from support.portal_daemon import PortalDaemon

ADA, PASSWORD = "ada.lovelace@example.org", "four words in a row"
OPEN = ("/sign-in", "/register", "/reset", "/verify?token=none", "/nothing")
OWN = ("/account", "/account/email", "/account/password", "/account/sessions", "/organisation", "/sign-in/confirm")


async def look_at(visit: Visit, path: str, folder: Path, name: str) -> list[str]:
    await visit.open(path)
    await visit.picture(folder, f"{name}-{path.strip('/').replace('/', '-').partition('?')[0]}")
    return [*await visit.findings(), *(f"{path} is too wide: {each}" for each in await visit.overflow())]


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["1280", "360"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_pages_are_accessible_and_fit(
    browser: Browser, daemon: PortalDaemon, tmp_path: Path, size: tuple[int, int], dark: bool
) -> None:
    folder, name = pictures(tmp_path), f"{size[0]}-{'dark' if dark else 'light'}"
    daemon.cli("accounts", "create", ADA, "--name", "Ada Lovelace", "--organisation", "ada@example.org")
    found: list[str] = []
    async with visiting(browser, daemon.url, size=size, dark=dark) as visit:
        for path in OPEN:
            found += await look_at(visit, path, folder, name)
        found += await look_at(visit, await daemon.link(ADA, "Your account is ready"), folder, name)
        await visit.fill(password="password")
        await visit.press("Set the password")
        await visit.picture(folder, f"{name}-refused")
        found += await visit.findings()
        await visit.fill(password=PASSWORD)
        await visit.press("Set the password")
        await visit.picture(folder, f"{name}-flash")
        found += await visit.findings()
        await visit.fill(email=ADA, password=PASSWORD)
        await visit.press("Sign in")
        for path in OWN:
            found += await look_at(visit, path, folder, name)
    assert not found, "\n".join(found)

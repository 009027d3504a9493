"""Every page of the portal at 1280 and 360 pixels, light and dark: nothing that axe finds, and nothing too wide.

SOFTIX_PICTURES names a folder for the pictures, to be looked at by people.
"""

from __future__ import annotations

import pytest
from playwright.async_api import Browser
from support.browser import NARROW, Visit, visiting
from support.portal_daemon import PortalDaemon

ADA, PASSWORD = "ada.lovelace@example.org", "four words in a row"
OPEN = ("/sign-in", "/register", "/reset", "/verify?token=none", "/nothing")
OWN = ("/account", "/account/email", "/account/password", "/account/sessions", "/organisation", "/sign-in/confirm")


async def look_at(visit: Visit, path: str) -> None:
    await visit.open(path)
    await visit.look(path.strip("/").replace("/", "-").partition("?")[0])


async def test_pages_are_accessible_and_fit(browser: Browser, daemon: PortalDaemon) -> None:
    daemon.cli("accounts", "create", ADA, "--name", "Ada Lovelace", "--organisation", "ada@example.org")
    async with visiting(browser, daemon.url, size=NARROW) as visit:
        for path in OPEN:
            await look_at(visit, path)
        await look_at(visit, await daemon.link(ADA, "Your account is ready"))
        await visit.fill(password="password")
        await visit.press("Set the password")
        await visit.look("refused")
        await visit.fill(password=PASSWORD)
        await visit.press("Set the password")
        await visit.look("flash")
        await visit.fill(email=ADA, password=PASSWORD)
        await visit.press("Sign in")
        for path in OWN:
            await look_at(visit, path)


@pytest.mark.parametrize(
    ("style", "body", "seen"),
    [
        ("p { width: 600px }", "<p>wide</p>", ["360, dark is too wide", "360, light is too wide"]),
        ("@media (max-width: 400px) { p { font-size: 0 } }", "<p>small</p><img>", ["image-alt"] * 4),
        (
            "@media (prefers-color-scheme: dark) { p { color: #888 } }",
            "<p>pale</p>",
            ["1280, dark: : color-contrast", "360, dark: : color-contrast"],
        ),
    ],
    ids=["too wide", "no text", "pale"],
)
async def test_look_finds_what_is_wrong_in_some_windows_only(
    browser: Browser, style: str, body: str, seen: list[str]
) -> None:
    async with visiting(browser, "about:blank") as visit:
        await visit.page.set_content(
            f'<!doctype html><html lang="en"><title>x</title><style>{style}</style><main><h1>x</h1>{body}</main></html>'
        )
        await visit.look("page")
        found, visit.faults[:] = list(visit.faults), []
    assert len(found) == len(seen)
    assert all(part in each for part, each in zip(seen, found, strict=True)), found

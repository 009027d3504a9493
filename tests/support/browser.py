"""A real Chromium, and what it saw of the portal: requests to elsewhere, errors in the console, findings of axe."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request, async_playwright
from support.importers import REQUIRED

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
AXE = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}
"""The rules of WCAG 2.2 up to level AA, and what axe holds for good practice."""
WIDE, NARROW = (1280, 900), (360, 740)
LOOKS: tuple[tuple[tuple[int, int], Literal["light", "dark"]], ...] = (
    (WIDE, "light"),
    (WIDE, "dark"),
    (NARROW, "dark"),
    (NARROW, "light"),
)
"""The windows in which a page is looked at. The last one stays, so that what follows is done in a narrow window."""


def program() -> str:
    """The path of a Chromium. In CI a missing one is a failure, elsewhere the test is skipped."""
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found is None:
        assert not REQUIRED, "chromium is needed: apt-get install chromium"
        pytest.skip("chromium is not installed (Debian: apt-get install chromium)")
    return found


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    path = program()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class Visit:
    """One person's browser on the portal at `url`."""

    url: str
    context: BrowserContext
    page: Page
    elsewhere: list[str] = field(default_factory=list)
    """The requests to other origins."""
    complaints: list[str] = field(default_factory=list)
    """What the browser wrote into its console: what the policy of the page forbade, first of all."""
    faults: list[str] = field(default_factory=list)
    """What `look` found."""

    async def open(self, path: str) -> None:
        answer = await self.page.goto(self.url + path)
        assert answer is not None

    @property
    def path(self) -> str:
        """The path of the page that is shown, without its query."""
        return self.page.url.removeprefix(self.url).partition("?")[0]

    async def title(self) -> str:
        return await self.page.locator("h1").inner_text()

    async def fill(self, **fields: str) -> None:
        for name, value in fields.items():
            await self.page.locator(f"[name={name}]:visible").fill(value)

    async def press(self, button: str) -> None:
        """Presses the button in the content with this text, and waits for the page after it."""
        async with self.page.expect_navigation():
            await self.page.locator("main").get_by_role("button", name=button, exact=True).click()

    async def look(self, name: str) -> None:
        """Looks at the page that is shown, in each of LOOKS: at what axe finds, and at what is too wide."""
        for (width, height), scheme in LOOKS:
            await self.page.set_viewport_size({"width": width, "height": height})
            await self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # colours change at once
            await self.picture(f"{name}-{width}-{scheme}")
            shown = f"{name} at {width}, {scheme}"
            self.faults += [f"{shown}: {each}" for each in await self.findings()]
            self.faults += [f"{shown} is too wide: {each}" for each in await self.overflow()]
            if (width, height) == WIDE:
                self.faults += [f"{shown} cuts a table off: {each}" for each in await self.cut_off()]

    async def findings(self) -> list[str]:
        """What axe finds on the page, each with the place."""
        if not await self.page.evaluate("'axe' in window"):
            await self.page.evaluate(AXE_SCRIPT)
        found = await self.page.evaluate("options => axe.run(options)", AXE)
        return [f"{self.path}: {each['id']}: {node['html']}" for each in found["violations"] for node in each["nodes"]]

    async def overflow(self) -> list[str]:
        """The elements that make the page wider than the window."""
        return list(
            await self.page.evaluate(
                """() => {
                  const wide = document.documentElement.clientWidth;
                  if (document.documentElement.scrollWidth <= wide) return [];
                  return [...document.querySelectorAll('body *')]
                    .filter(e => e.getBoundingClientRect().right > wide + 1 && !e.closest('.scroll, .menu, pre'))
                    .map(e => e.outerHTML.slice(0, 120));
                }"""
            )
        )

    async def cut_off(self) -> list[str]:
        """The tables that show a part of themselves only. In a wide window there are none."""
        return list(
            await self.page.evaluate(
                """() => [...document.querySelectorAll('div.scroll')]
                    .filter(e => e.scrollWidth > e.clientWidth + 1)
                    .map(e => `${e.getAttribute('aria-label')}: ${e.scrollWidth} in ${e.clientWidth} pixels`)"""
            )
        )

    async def picture(self, name: str) -> None:
        """Into the folder that SOFTIX_PICTURES names, to be looked at by people."""
        if folder := os.environ.get("SOFTIX_PICTURES"):
            await self.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


@asynccontextmanager
async def visiting(browser: Browser, url: str, *, size: tuple[int, int] = WIDE, **options: Any) -> AsyncIterator[Visit]:
    """A browser without cookies. At its end it has asked no other origin, and nothing was wrong with a page."""
    context = await browser.new_context(viewport={"width": size[0], "height": size[1]}, **options)
    page = await context.new_page()
    visit = Visit(url, context, page)

    def asked(request: Request) -> None:
        if not request.url.startswith((f"{url}/", "data:")):
            visit.elsewhere.append(request.url)

    def said(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not re.search(r"status of 4\d\d", message.text):
            visit.complaints.append(message.text)

    page.on("request", asked)
    page.on("console", said)
    try:
        yield visit
        assert not visit.elsewhere
        assert not visit.complaints
        assert not visit.faults, "\n".join(visit.faults)
    finally:
        await context.close()

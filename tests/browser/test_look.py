"""Every page of the portal at 1280 and 360 pixels, light and dark: nothing that axe finds, and nothing too wide.

SOFTIX_PICTURES names a folder for the pictures, to be looked at by people.
"""

from __future__ import annotations

from importlib.resources import files

import pytest
from playwright.async_api import Browser
from support.browser import NARROW, Visit, visiting
from support.portal_daemon import PortalDaemon

ADA, PASSWORD = "ada.lovelace@example.org", "four words in a row"
OPEN = ("/sign-in", "/register", "/reset", "/verify?token=none", "/security", "/nothing")
OWN = (
    "/account",
    "/account/email",
    "/account/password",
    "/account/sessions",
    "/organisation",
    "/billing/address",
    "/sign-in/confirm",
)


STYLE = files("softix_proxy") / "data" / "portal.css"
ROWS = "<tr>" + "<td>word</td>" * 12 + "</tr>"
SHADOWS = """e => {
  const found = getComputedStyle(e).boxShadow.split(/,(?![^(]*\\))/).filter(each => each.includes('inset'));
  const offsets = found.map(each => parseFloat(each.match(/(-?[0-9.]+)px/)[1]));
  return [offsets.some(each => each > 0), offsets.some(each => each < 0)];
}"""
"""Whether an element has a shadow inside its left edge, and inside its right one."""


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
        (
            ".scroll { width: 600px; overflow: auto } @media (max-width: 700px) { .scroll { width: 100px } }",
            '<div class="scroll" tabindex="0" role="region" aria-label="t"><div style="width: 700px">cut</div></div>',
            ["1280, light cuts a table off: t: 700 in 600", "1280, dark cuts a table off: t: 700 in 600"],
        ),
        ("@media (max-width: 400px) { p { font-size: 0 } }", "<p>small</p><img>", ["image-alt"] * 4),
        (
            "@media (prefers-color-scheme: dark) { p { color: #888 } }",
            "<p>pale</p>",
            ["1280, dark: : color-contrast", "360, dark: : color-contrast"],
        ),
    ],
    ids=["too wide", "cut off", "no text", "pale"],
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


async def test_forms_of_a_narrow_page_stand_apart_and_are_equally_wide(browser: Browser) -> None:
    forms = "<form><button class='main'>Switch on</button></form><form><button class='danger'>Off</button></form>"
    async with visiting(browser, "about:blank", size=NARROW) as visit:
        await visit.page.set_content(f"<style>{STYLE.read_text()}</style><main class='narrow'>{forms}</main>")
        boxes = [await each.bounding_box() for each in await visit.page.locator("button").all()]
    first, second = [box for box in boxes if box is not None]
    assert first["width"] == second["width"]
    assert second["y"] - (first["y"] + first["height"]) >= 8


async def test_table_that_scrolls_has_a_shadow_at_each_edge_that_has_more(browser: Browser) -> None:
    async with visiting(browser, "about:blank", size=NARROW) as visit:
        await visit.page.set_content(
            f"<style>{STYLE.read_text()}</style><main><div class='scroll'><table>{ROWS}</table></div>"
            "<div class='scroll'><table><tr><td>word</td></tr></table></div>"
            f"<pre class='scroll'>{'x' * 999}</pre></main>"
        )
        seen = []
        for place in (0, 40, 9999):
            await visit.page.locator("div.scroll").first.evaluate("(e, place) => { e.scrollLeft = place }", place)
            await visit.page.evaluate("() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")
            seen += [await visit.page.locator("div.scroll").first.evaluate(SHADOWS)]
        others = [await visit.page.locator(each).last.evaluate(SHADOWS) for each in ("div.scroll", "pre")]
    assert seen == [[False, True], [True, True], [True, False]]
    assert others == [[False, False], [False, False]]

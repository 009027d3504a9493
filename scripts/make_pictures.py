"""Draws the pictures of the documents: a summary as a terminal shows it, and pages of the portal, all invented.

    python scripts/make_pictures.py            draw them, and write down what each page says
    python scripts/make_pictures.py --check    fail if a page says something else than when it was drawn

Needs Chromium. Fonts differ from machine to machine, so pictures are not compared. The texts beside them are.
"""

from __future__ import annotations

import argparse
import asyncio
import difflib
import re
import sys
import tempfile
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import rich.console  # noqa: E402
from PIL import Image  # noqa: E402
from playwright.async_api import Browser  # noqa: E402
from support.browser import NARROW, WIDE, Visit, chromium, visiting  # noqa: E402
from support.demo_house import MEMBER, OPERATOR, DemoHouse, demo_house  # noqa: E402

from softix_proxy.cli.metering.usage_summary import picture  # noqa: E402
from softix_proxy.domain.accounts.sessions import COOKIE  # noqa: E402
from softix_proxy.domain.core.clock import DAY_US, from_us, parse_instant  # noqa: E402
from softix_proxy.domain.core.money import parse_usd  # noqa: E402
from softix_proxy.domain.metering.usage import UsageTotal  # noqa: E402
from softix_proxy.operations.metering.usage import UsageSummary  # noqa: E402

FOLDER = ROOT / "docs" / "pictures"
TERMINAL = FOLDER / "usage-summary.svg"
COLOURS = 160


class Shot(NamedTuple):
    """One picture of a page: who sees it, where, and in which window."""

    name: str
    who: str
    path: str
    size: tuple[int, int] = WIDE
    dark: bool = False
    whole: bool = True
    """Whether the picture goes to the end of the page, or only to the end of the window."""
    link: str = ""
    """The selector of a link to be followed first."""


SHOTS = (
    Shot("overview", MEMBER, "/"),
    Shot("overview-narrow", MEMBER, "/", NARROW, dark=True, whole=False),
    Shot("keys", MEMBER, "/keys", (1280, 560)),
    Shot("request", MEMBER, "/usage", (1280, 820), link="#requests ~ .scroll tbody tr:nth-child(4) a"),
    Shot("billing", MEMBER, "/billing"),
    Shot("admin-payments", OPERATOR, "/admin/payments", (1280, 620)),
    Shot("admin-user", OPERATOR, "/admin/users/usr_acme", dark=True, whole=False),
)

FIRST_DAY, END_DAY = parse_instant("2026-10-01") // DAY_US, parse_instant("2026-11-01") // DAY_US
MODELS = (
    ("gpt-5.1", 18_204, 37, 61_400_000, 9_820_000, "174.95"),
    ("claude-sonnet-4-5", 6_911, 12, 28_050_000, 4_410_000, "150.30"),
    ("gpt-5-mini", 41_377, 81, 80_900_000, 12_300_000, "44.83"),
    ("text-embedding-3-small", 12_040, 0, 96_300_000, 0, "1.93"),
)
SHAPE = (4, 7, 8, 6, 5, 0, 0, 9, 11, 12, 10, 8, 1, 0, 10, 13, 12, 14, 11, 0, 0, 15, 17, 16, 14, 13, 1, 0, 18, 16, 17)


def invented() -> UsageSummary:
    totals = [
        UsageTotal(name, name, requests, errors, tokens_in, tokens_out, parse_usd(cost), parse_usd(cost) * 1075 // 1000)
        for name, requests, errors, tokens_in, tokens_out, cost in MODELS
    ]
    shape = {FIRST_DAY + number: part for number, part in enumerate(SHAPE) if part}
    days = [_day(from_us(day * DAY_US).date().isoformat(), totals, part) for day, part in shape.items()]
    return UsageSummary("model", "UTC", FIRST_DAY, END_DAY, totals, days)


def _day(name: str, totals: list[UsageTotal], part: int) -> UsageTotal:
    return UsageTotal(name, name, *(_part(totals, field, part, sum(SHAPE)) for field in UsageTotal.__slots__[2:]))


def _part(totals: list[UsageTotal], field: str, part: int, whole: int) -> int:
    return int(sum(getattr(total, field) for total in totals)) * part // whole


def terminal() -> str:
    """The summary of the README, as SVG."""
    console = rich.console.Console(record=True, width=120, force_terminal=True, file=StringIO())
    with patch.object(rich.console, "Console", lambda: console):
        picture(invented())
    return console.export_svg(title="softix usage summary --by model")


async def shoot(house: DemoHouse, browser: Browser, shot: Shot) -> tuple[bytes, str]:
    """The picture of a page as PNG, and what the page says."""
    async with visiting(browser, house.url, size=shot.size, color_scheme="dark" if shot.dark else "light") as visit:
        cookie: Any = {"name": COOKIE, "value": house.tokens[shot.who], "domain": "localhost", "path": "/"}
        await visit.context.add_cookies([{**cookie, "secure": True, "httpOnly": True, "sameSite": "Lax"}])
        await visit.open(shot.path)
        if shot.link:
            async with visit.page.expect_navigation():
                await visit.page.locator(shot.link).click()
        found = [*await visit.findings(), *await visit.overflow()]
        assert not found, f"{shot.name}: {found}"
        return small(await visit.page.screenshot(full_page=shot.whole)), await said(visit)


async def said(visit: Visit) -> str:
    """What a page says to who sees it: a line for each piece, and `#` before headings."""
    await visit.page.evaluate(
        "document.querySelectorAll('h1, h2, h3').forEach(each => each.prepend('#'.repeat(each.tagName[1]) + ' '))"
    )
    lines = (" | ".join(line.split("\t")).strip() for line in (await visit.page.inner_text("body")).splitlines())
    return "\n".join(filter(None, lines)) + "\n"


def small(png: bytes) -> bytes:
    """The same picture with few colours: pages have hardly more."""
    out = BytesIO()
    Image.open(BytesIO(png)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


async def drawn() -> dict[str, tuple[bytes, str]]:
    """Name → picture and text, of each page as it is today."""
    with tempfile.TemporaryDirectory() as folder:
        async with demo_house(Path(folder)) as house, chromium() as browser:
            return {shot.name: await shoot(house, browser, shot) for shot in SHOTS}


def terminal_says(svg: str) -> str:
    """The text of a picture of a terminal."""
    return re.sub(r"<style>.*?</style>|<[^>]+>", " ", svg, flags=re.DOTALL)


def differences(now: dict[str, tuple[bytes, str]]) -> list[str]:
    """What pages and the terminal say otherwise than when they were drawn, as a diff."""
    found: list[str] = []
    if terminal_says(terminal()).split() != terminal_says(TERMINAL.read_text("utf-8")).split():
        found.append("docs/pictures/usage-summary.svg shows another text than the command today")
    for name, (_, text) in now.items():
        kept = FOLDER / f"{name}.txt"
        before = kept.read_text("utf-8").splitlines() if kept.is_file() else []
        found += difflib.unified_diff(before, text.splitlines(), f"docs/pictures/{name}.txt", "today", lineterm="", n=0)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare instead of drawing")
    check = parser.parse_args().check
    now = asyncio.run(drawn())
    if check:
        found = differences(now)
        print("\n".join([*found, "draw them again: make pictures"]) if found else "the pictures are current")
        return 1 if found else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    TERMINAL.write_text(terminal(), "utf-8")
    for name, (png, text) in now.items():
        (FOLDER / f"{name}.png").write_bytes(png)
        (FOLDER / f"{name}.txt").write_text(text, "utf-8")
    print(f"written: {', '.join(now)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""Draws the pictures of the README from the code that draws them on a terminal, with invented figures.

python scripts/make_pictures.py
"""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from unittest.mock import patch

import rich.console

from softix_proxy.cli.usage_summary import picture
from softix_proxy.domain.clock import DAY_US, from_us, parse_instant
from softix_proxy.domain.money import parse_usd
from softix_proxy.domain.usage import Span, UsageTotal
from softix_proxy.operations.usage import UsageSummary

PLACE = Path(__file__).resolve().parents[1] / "docs" / "images" / "usage-summary.svg"
SPAN = Span(parse_instant("2026-10-01"), parse_instant("2026-11-01"))
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
    days = []
    for number, part in enumerate(SHAPE):
        if part:
            day = from_us(SPAN.from_us + number * DAY_US).date().isoformat()
            whole = sum(SHAPE)
            days.append(
                UsageTotal(day, day, *(_part(totals, field, part, whole) for field in UsageTotal.__slots__[2:]))
            )
    return UsageSummary("model", SPAN, totals, days)


def _part(totals: list[UsageTotal], field: str, part: int, whole: int) -> int:
    return int(sum(getattr(total, field) for total in totals)) * part // whole


def main() -> None:
    console = rich.console.Console(record=True, width=112, force_terminal=True, file=StringIO())
    with patch.object(rich.console, "Console", lambda: console):
        picture(invented())
    PLACE.parent.mkdir(exist_ok=True)
    PLACE.write_text(console.export_svg(title="softix usage summary --by model"), "utf-8")


if __name__ == "__main__":
    main()

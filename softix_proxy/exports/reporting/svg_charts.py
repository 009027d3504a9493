"""Draws charts as SVG for the pages of the portal: a column for each day, stacked by what it is made of.

A chart has no inline style and no script, so that it is shown under a strict content security policy. Its colours are
classes of the style sheet, which has them for light and dark. The columns are stretched to the width of the page, and
texts are HTML beside them, so that they are legible at any width. Whoever cannot see it has its title and its
description, and the page shows the same figures as a table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from itertools import islice

from softix_proxy.exports.core.shown import usd
from softix_proxy.exports.core.svg_scale import levels

MOST_SERIES = 7
"""The number of classes `s0` to `s6` of the style sheet."""
_SLOT, _GAP, _HEIGHT = 100, 12, 1000
"""The width of a day, the space on each side of its column, and the height, in units of the drawing."""
PIECES_AT_ONCE = 64
"""The days that are drawn before others get their turn: less than a millisecond."""


@dataclass(frozen=True, slots=True)
class BarSeries:
    """What the columns are made of: a model, for example."""

    name: str
    amounts: Sequence[int]
    """One amount for each day of the chart. Less than nothing is drawn as nothing."""


@dataclass(frozen=True, slots=True)
class DayChart:
    """The data of a chart."""

    id: str
    """The name of the chart on its page: small letters. It is no text of anybody."""
    title: str
    description: str
    days: Sequence[date]
    series: Sequence[BarSeries]
    """At most `MOST_SERIES`, the lowest part of the columns first. More raise ValueError."""
    shown: Callable[[int], str] = usd
    """Formats an amount. The levels of the scale are round, so an exact amount is short there."""

    def __post_init__(self) -> None:
        if len(self.series) > MOST_SERIES:
            raise ValueError(f"a chart has at most {MOST_SERIES} series")

    def of_day(self, at: int) -> list[int]:
        return [max(series.amounts[at], 0) for series in self.series]

    @property
    def peak(self) -> int:
        return max((sum(self.of_day(at)) for at in range(len(self.days))), default=0)


def draw(chart: DayChart) -> Iterator[str]:
    """Yields the chart in pieces. Each text in it is escaped."""
    lines = levels(max(chart.peak, 1))
    yield f'<div class="plot">\n<div class="scale" aria-hidden="true">{_scale(chart, lines)}</div>\n'
    yield (
        f'<svg class="bars" viewBox="0 0 {_SLOT * len(chart.days)} {_HEIGHT}" preserveAspectRatio="none" role="img"'
        f' aria-labelledby="{chart.id}-title {chart.id}-text">\n<title id="{chart.id}-title">{escape(chart.title)}'
        f'</title>\n<desc id="{chart.id}-text">{escape(chart.description)}</desc>\n'
    )
    for level in lines:
        y = _HEIGHT - _HEIGHT * level // lines[-1]
        yield f'<line class="grid" x1="0" x2="{_SLOT * len(chart.days)}" y1="{y}" y2="{y}"/>\n'
    yield from filter(None, (_column(chart, at, lines[-1]) for at in range(len(chart.days))))
    yield f'</svg>\n<div class="dates" aria-hidden="true">{_dates(chart.days)}</div>\n</div>\n'
    if len(chart.series) > 1:
        yield from _legend(chart)


def in_steps(pieces: Iterator[str]) -> Iterator[str]:
    """Yields the same text in parts, between which a caller lets others have their turn."""
    while part := "".join(islice(pieces, PIECES_AT_ONCE)):
        yield part


def _scale(chart: DayChart, lines: Sequence[int]) -> str:
    texts = [escape(chart.shown(level)) if level else "0" for level in reversed(lines)]
    return "".join(f"<span>{text}</span>" for text in texts)


def _column(chart: DayChart, at: int, top: int) -> str:
    """Draws one day. The parts end where the sum up to them ends, so that no rounding shows between them."""
    amounts = chart.of_day(at)
    if not any(amounts):
        return ""
    rectangles, below, upper = [], 0, _HEIGHT
    for number, amount in enumerate(amounts):
        below += amount
        y = _HEIGHT - _HEIGHT * below // top
        if y < upper:
            place = f'x="{_SLOT * at + _GAP}" y="{y}" width="{_SLOT - 2 * _GAP}" height="{upper - y}"'
            rectangles.append(f'<rect class="s{number}" {place}/>')
        upper = y
    told = f"{chart.days[at].isoformat()}: {chart.shown(below)}"
    return f"<g><title>{escape(told)}</title>{''.join(rectangles)}</g>\n"


def _dates(days: Sequence[date]) -> str:
    """Returns the first day, the one in the middle, and the last."""
    chosen = dict.fromkeys((0, len(days) // 2, len(days) - 1)) if len(days) > 2 else range(len(days))
    return "".join(f"<span>{days[at].day} {days[at]:%b}</span>" for at in chosen)


def _legend(chart: DayChart) -> Iterator[str]:
    yield '<ul class="legend">\n'
    for number, series in enumerate(chart.series):
        yield f'<li><span class="swatch s{number}"></span>{escape(series.name)}</li>\n'
    yield "</ul>\n"

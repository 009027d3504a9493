"""Renders a summary as one HTML page that a person can mail.

The page has no script and loads nothing. It is legible in dark mode and on paper.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from importlib.resources import files

from softix_proxy.domain.core.calendar import date_of
from softix_proxy.domain.core.clock import format_instant
from softix_proxy.domain.core.money import CURRENCY, format_usd
from softix_proxy.domain.metering.usage import SummarySubject, UsageTotal, add_up
from softix_proxy.exports.core.svg_scale import hundredths as _hundredths
from softix_proxy.exports.core.svg_scale import levels
from softix_proxy.exports.metering.rounded import count, money, percent

_MOST_ROWS = 15
_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM = 960, 230, 62, 12, 26
_BAR, _SPARK_HEIGHT = 120, 22
_TITLES: Mapping[SummarySubject, str] = {
    "model": "By model",
    "user": "By user",
    "key": "By key",
    "provider": "By provider",
    "day": "By day",
}
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""The content security policy. Even if a name were not escaped, nothing would run and nothing would be loaded."""


@dataclass(frozen=True, slots=True)
class SummaryTable:
    """One table, which has a bar and daily columns for each subject."""

    by: SummarySubject
    totals: Sequence[UsageTotal]
    """The totals, the most expensive subject first."""
    trends: Mapping[str, Mapping[int, UsageTotal]]
    """Subject's id → day since 1970 → the usage of that day."""


@dataclass(frozen=True, slots=True)
class SummaryPage:
    """The data that the page of a summary shows."""

    zone: str
    """The IANA name of the time zone of the days."""
    first_day: int
    end_day: int
    """The exclusive end, in days since 1970."""
    days: Sequence[UsageTotal]
    """The days with a request, in order."""
    parts: Sequence[SummaryTable]
    made_at_us: int
    version: str
    """The version of softix."""

    @property
    def by_charge(self) -> bool:
        """Whether bars show money. They show requests if everything was free."""
        return any(day.charge_pico for day in self.days)

    def weight(self, total: UsageTotal) -> int:
        return max(total.charge_pico, 0) if self.by_charge else total.requests

    def shown(self, weight: int) -> str:
        return money(weight) if self.by_charge else f"{weight:,}"


def render(page: SummaryPage) -> Iterator[str]:
    """Yields the page in pieces. Everything that comes from the books is escaped."""
    period = _period(page)
    yield f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Usage, {period}</title>\n'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    yield f"<style>\n{files('softix_proxy').joinpath('data/summary.css').read_text('utf-8')}</style>\n</head>\n<body>\n"
    yield f'<h1>Usage</h1>\n<p class="soft">{period}, whole days in {escape(page.zone)}</p>\n'
    whole = add_up(page.days)
    yield from _tiles(whole)
    if not page.days:
        yield "<p>Nothing was used.</p>\n"
    else:
        yield from _days(page)
        for part in page.parts:
            yield from _part(page, part, whole)
        yield from _table_of_days(page, whole)
    sums = f"charged {format_usd(whole.charge_pico)}, provider's cost {format_usd(whole.cost_pico)}"
    made_at = str(format_instant(page.made_at_us))[:16].replace("T", " ")
    yield f"<footer>Rounded for the eye. The exact sums in {CURRENCY}: {sums}. "
    yield f"Made by softix {escape(page.version)} on {made_at} UTC.</footer>\n</body>\n</html>\n"


def _period(page: SummaryPage) -> str:
    first, last = date_of(page.first_day), date_of(page.end_day - 1)
    if first == last:
        return _long(first)
    return f"{_long(first)} to {_long(last)}"


def _long(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _tiles(whole: UsageTotal) -> Iterator[str]:
    tiles = (
        ("Charged", money(whole.charge_pico), format_usd(whole.charge_pico), ""),
        ("Provider's cost", money(whole.cost_pico), format_usd(whole.cost_pico), ""),
        ("Requests", f"{whole.requests:,}", "", ""),
        ("Errors", f"{whole.errors:,}", "", "bad" if whole.errors else ""),
        ("Tokens in", count(whole.input_tokens), f"{whole.input_tokens:,}", ""),
        ("Tokens out", count(whole.output_tokens), f"{whole.output_tokens:,}", ""),
    )
    yield '<div class="tiles">\n'
    for name, shown, exact, kind in tiles:
        title = f' title="{exact}"' if exact else ""
        yield f'<div class="tile"{title}><span>{name}</span><b class="{kind}">{shown}</b></div>\n'
    yield "</div>\n"


def _days(page: SummaryPage) -> Iterator[str]:
    """Yields a column for each day of the period, with a mark at the provider's cost of that day."""
    known = {day.id: day for day in page.days}
    numbers = range(page.first_day, page.end_day)
    peak = max([*(page.weight(day) for day in page.days), *(day.cost_pico * page.by_charge for day in page.days), 1])
    lines = levels(peak)
    top = lines[-1]
    wide, high = _WIDTH - _LEFT, _HEIGHT - _TOP - _BOTTOM
    slot = wide * 100 // len(numbers)  # the slot is in hundredths
    yield f"<section>\n<h2>{'Charged' if page.by_charge else 'Requests'} a day</h2>\n"
    yield f'<svg class="days" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="A column for each day">\n'
    for level in lines:
        y = _TOP + high - high * level // top
        yield f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH}" y1="{y}" y2="{y}"/>'
        yield f'<text x="{_LEFT - 8}" y="{y + 4}" text-anchor="end">{page.shown(level) if level else "0"}</text>\n'
    every = -(-len(numbers) // 10)
    for number, day_number in enumerate(numbers):
        day = date_of(day_number)
        left, gap = _LEFT * 100 + number * slot, slot // 8
        found = known.get(day.isoformat())
        if found is not None:
            yield from _column(page, found, (left + gap, slot - 2 * gap), top)
        if number % every == 0:
            label = f"{day.day} {day:%b}"
            yield f'<text x="{_hundredths(left + slot // 2)}" y="{_HEIGHT - 8}" text-anchor="middle">{label}</text>\n'
    yield "</svg>\n"
    if page.by_charge:
        yield '<p class="soft"><span class="key"><i></i>charged</span>'
        yield '<span class="key"><i class="line"></i>provider\'s cost</span></p>\n'
    yield "</section>\n"


def _column(page: SummaryPage, day: UsageTotal, place: tuple[int, int], top: int) -> Iterator[str]:
    """Draws one column. `place` is its left edge and width, in hundredths."""
    high = _HEIGHT - _TOP - _BOTTOM
    tall = high * 100 * page.weight(day) // top
    left, width = (_hundredths(value) for value in place)
    y = _hundredths((_TOP + high) * 100 - tall)
    told = f"{day.id}: {money(day.charge_pico)} charged, {money(day.cost_pico)} cost, {day.requests:,} requests"
    yield f'<rect class="column" x="{left}" y="{y}" width="{width}" height="{_hundredths(tall)}" rx="1.5">'
    yield f"<title>{told}</title></rect>\n"
    if page.by_charge and day.cost_pico > 0:
        level = _hundredths((_TOP + high) * 100 - high * 100 * day.cost_pico // top)
        yield f'<line class="cost" x1="{left}" x2="{_hundredths(sum(place))}" y1="{level}" y2="{level}"/>\n'


def _part(page: SummaryPage, part: SummaryTable, whole: UsageTotal) -> Iterator[str]:
    rows = list(part.totals)
    if len(rows) > _MOST_ROWS:
        rows[_MOST_ROWS:] = [add_up(rows[_MOST_ROWS:], f"{len(rows) - _MOST_ROWS} others")]
    most = max(page.weight(row) for row in rows)
    yield f"<section>\n<h2>{_TITLES[part.by]}</h2>\n"
    yield from _head(part.by, "share", "day by day")
    for row in rows:
        weight = page.weight(row)
        bar = _bar(weight, most)
        share = f"{percent(weight, page.weight(whole))} %"
        spark = _spark(page, part.trends.get(row.id, {}))
        yield _row(row, row.name, f'<td class="graph">{bar}</td><td>{share}</td>', f'<td class="graph">{spark}</td>')
    yield _foot(whole, "<td></td><td></td>", "<td></td>")
    yield "</section>\n"


def _table_of_days(page: SummaryPage, whole: UsageTotal) -> Iterator[str]:
    yield "<details>\n<summary>The figures day by day</summary>\n"
    yield from _head("day", "", "")
    for day in page.days:
        yield _row(day, day.id, "", "")
    yield _foot(whole, "", "")
    yield "</details>\n"


def _head(by: SummarySubject, share: str, trend: str) -> Iterator[str]:
    before = f'<th></th><th scope="col">{share}</th>' if share else ""
    after = f'<th scope="col">{trend}</th>' if trend else ""
    names = ("charged", "cost", "requests", "errors", "tokens in", "tokens out")
    columns = "".join(f'<th scope="col">{name}</th>' for name in names)
    yield f'<div class="wide"><table>\n<thead><tr><th scope="col">{by}</th>{before}{columns}{after}</tr></thead>\n'
    yield "<tbody>\n"


def _row(total: UsageTotal, name: str, before: str, after: str) -> str:
    errors = f'<td class="bad">{total.errors:,}</td>' if total.errors else "<td>0</td>"
    return (
        f"<tr><td>{escape(name)}</td>{before}<td><b>{money(total.charge_pico)}</b></td><td>{money(total.cost_pico)}</td>"
        f"<td>{total.requests:,}</td>{errors}<td>{count(total.input_tokens)}</td><td>{count(total.output_tokens)}</td>"
        f"{after}</tr>\n"
    )


def _foot(whole: UsageTotal, before: str, after: str) -> str:
    return f"</tbody>\n<tfoot>{_row(whole, 'total', before, after)}</tfoot>\n</table></div>\n"


def _bar(value: int, most: int) -> str:
    width = max(_BAR * value // most, 1) if value and most else 0
    return f'<svg width="{_BAR}" height="12"><rect class="bar" width="{width}" height="12" rx="2"/></svg>'


def _spark(page: SummaryPage, trend: Mapping[int, UsageTotal]) -> str:
    """Draws a narrow column for each day. The highest one fills the height."""
    first, end = page.first_day, page.end_day
    most = max((page.weight(total) for total in trend.values()), default=0)
    if not most:
        return ""
    slot = _BAR * 100 // (end - first)
    columns = []
    for day, total in sorted(trend.items()):
        tall = max(_SPARK_HEIGHT * 100 * page.weight(total) // most, 100)
        left, width = _hundredths((day - first) * slot), _hundredths(max(slot * 4 // 5, 10))
        top = _hundredths(_SPARK_HEIGHT * 100 - tall)
        columns.append(f'<rect class="spark" x="{left}" y="{top}" width="{width}" height="{_hundredths(tall)}"/>')
    return f'<svg width="{_BAR}" height="{_SPARK_HEIGHT}">{"".join(columns)}</svg>'

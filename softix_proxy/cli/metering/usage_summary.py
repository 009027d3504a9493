"""Shows a summary as a picture on a terminal, as columns in a pipe, or as JSON on request."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from softix_proxy.cli.console import console
from softix_proxy.cli.console.tables import TableLayout
from softix_proxy.domain.core.calendar import date_of
from softix_proxy.domain.core.display import visible
from softix_proxy.domain.core.money import CURRENCY, format_usd
from softix_proxy.domain.metering.usage import UsageTotal, add_up
from softix_proxy.exports.metering.rounded import count, money, percent
from softix_proxy.operations.metering.usage import UsageSummary

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table as Grid
    from rich.text import Text

_HEIGHTS = "▁▂▃▄▅▆▇█"
_WIDTHS = " ▏▎▍▌▋▊▉█"
_BAR_CELLS = 16
_MOST_ROWS = 20
_MOST_DAYS = 62
_MOST_TREND_DAYS = 31
_BARS, _TRENDS = "bars", "day by day"
_LEAVE = (_TRENDS, _BARS, "errors", "tokens out", "tokens in", "requests", "cost")
"""The columns that a narrow terminal leaves out, in this order."""
_MARGIN = 2
_UNBOUNDED = 10_000
_COLUMNS = TableLayout(("name", "requests", "errors", "input_tokens", "output_tokens", "provider_cost", "charge"))


def show(summary: UsageSummary) -> None:
    rows = [{"id": total.id, "name": total.name, **_sums(total)} for total in summary.totals]
    if console.invocation().as_json:
        whole = _sums(add_up(summary.days))
        period = {"from": _date(summary.first_day), "to": _date(summary.end_day), "zone": summary.zone}
        console.show({"by": summary.by, **period, "currency": CURRENCY, "rows": rows, "total": whole})
    elif not sys.stdout.isatty():
        console.show_all(rows, _COLUMNS)
    else:
        picture(summary)


def _sums(total: UsageTotal) -> dict[str, Any]:
    return {
        "requests": total.requests,
        "errors": total.errors,
        "input_tokens": total.input_tokens,
        "output_tokens": total.output_tokens,
        "provider_cost": format_usd(total.cost_pico),
        "charge": format_usd(total.charge_pico),
    }


def _date(day: int) -> str:
    return date_of(day).isoformat()


def picture(summary: UsageSummary) -> None:
    """Prints a bar for each subject and a column for each day, for a person."""
    from rich.console import Console, Group
    from rich.padding import Padding
    from rich.text import Text

    terminal = Console()
    first, last = _date(summary.first_day), _date(summary.end_day - 1)
    period = first if first == last else f"{first} to {last}"
    title = Text.assemble((f"Usage by {summary.by}", "bold"), (f"   {period}, {summary.zone}", "dim"))
    if not summary.days:
        body: list[Any] = [Text("Nothing was used. Another period: --from 2026-10-01 --to 2026-11-01", "dim")]
    else:
        body = [_days(summary), Text(), _table(summary, terminal)]
    terminal.print(Padding(Group(title, Text(), *body), (1, _MARGIN)))


def _weight(total: UsageTotal, by_charge: bool) -> int:
    return total.charge_pico if by_charge else total.requests


def _days(summary: UsageSummary) -> Text:
    """Draws the last days of the period, with one column each. They show money, or requests if everything was free."""
    from rich.text import Text

    by_charge = any(day.charge_pico for day in summary.days)
    known = {day.id: _weight(day, by_charge) for day in summary.days}
    line = sparkline([known.get(_date(day), 0) for day in _last_days(summary, _MOST_DAYS)])
    peak = max(summary.days, key=lambda day: _weight(day, by_charge))
    most = money(peak.charge_pico) if by_charge else f"{peak.requests:,} requests"
    return Text.assemble((line, "cyan"), ("   most on ", "dim"), peak.id, ("  ", ""), (most, "bold"))


def _last_days(summary: UsageSummary, most: int) -> range:
    """Returns the last days, which are counted from 1970."""
    return range(max(summary.first_day, summary.end_day - most), summary.end_day)


def _trends(summary: UsageSummary, by_charge: bool) -> Mapping[str, str]:
    """Returns subject's id → a column for each of the last days, scaled to the subject's own highest."""
    days = _last_days(summary, _MOST_TREND_DAYS)
    return {
        subject: sparkline([_weight(trend[day], by_charge) if day in trend else 0 for day in days])
        for subject, trend in summary.trends.items()
    }


class _Column(NamedTuple):
    title: str
    total: str
    cells: Sequence[Text | str]
    right: bool = True


def _table(summary: UsageSummary, terminal: Console) -> Grid:
    """Returns the table with all columns if they fit. Otherwise it leaves out those of `_LEAVE`, one by one.

    No value is cut.
    """
    from rich.measure import Measurement

    columns = _columns(summary)
    drawn = _grid(columns)
    everything = terminal.options.update(width=_UNBOUNDED)
    for leaving in _LEAVE:
        if Measurement.get(terminal, everything, drawn).maximum <= terminal.width - 2 * _MARGIN:
            break
        columns = [column for column in columns if column.title != leaving]
        drawn = _grid(columns)
    return drawn


def _grid(columns: Sequence[_Column]) -> Grid:
    from rich import box
    from rich.table import Table as Grid

    grid = Grid(box=box.SIMPLE_HEAD, header_style="dim", pad_edge=False, show_footer=True, footer_style="bold")
    for column in columns:
        name = column is columns[0]
        title = "" if column.title == _BARS else column.title
        grid.add_column(
            title, column.total, justify="right" if column.right else "left", no_wrap=not name, overflow="fold"
        )
    for row in zip(*(column.cells for column in columns), strict=True):
        grid.add_row(*row)
    return grid


def _columns(summary: UsageSummary) -> list[_Column]:
    from rich.text import Text

    whole = add_up(summary.days)
    by_charge = whole.charge_pico > 0
    rows = list(summary.totals)
    if summary.by != "day" and len(rows) > _MOST_ROWS:
        rows[_MOST_ROWS:] = [add_up(rows[_MOST_ROWS:], f"{len(rows) - _MOST_ROWS} others")]
    weights = [_weight(row, by_charge) for row in rows]
    bars = [
        Text.assemble((bar(weight, max(weights)), "green"), (share(weight, sum(weights)), "dim")) for weight in weights
    ]
    columns = [
        _Column(summary.by, "total", [Text(visible(row.name)) for row in rows], right=False),
        _Column("requests", f"{whole.requests:,}", [f"{row.requests:,}" for row in rows]),
        _Column(
            "errors",
            f"{whole.errors:,}",
            [Text(f"{row.errors:,}", "red" if row.errors else "dim") for row in rows],
        ),
        _Column("tokens in", count(whole.input_tokens), [count(row.input_tokens) for row in rows]),
        _Column("tokens out", count(whole.output_tokens), [count(row.output_tokens) for row in rows]),
        _Column("cost", money(whole.cost_pico), [Text(money(row.cost_pico), "dim") for row in rows]),
        _Column("charge", money(whole.charge_pico), [Text(money(row.charge_pico), "bold green") for row in rows]),
        _Column(_BARS, "", bars, right=False),
    ]
    if trends := _trends(summary, by_charge):
        drawn = [Text(trends.get(row.id, ""), "cyan") for row in rows]
        columns.append(_Column(_TRENDS, "", drawn, right=False))
    return columns


def sparkline(values: Sequence[int]) -> str:
    """Draws a column for each value, scaled to the highest. Zero is a dot."""
    most = max(values, default=0)
    return "".join(_HEIGHTS[(value * len(_HEIGHTS) - 1) // most] if value else "·" for value in values)


def bar(value: int, most: int) -> str:
    """Draws a bar of up to `_BAR_CELLS` cells in steps of an eighth of a cell, and pads it to that width."""
    full, eighths = divmod(value * _BAR_CELLS * 8 // most if most else 0, 8)
    return (_WIDTHS[-1] * full + (_WIDTHS[eighths] if eighths else "")).ljust(_BAR_CELLS)


def share(value: int, whole: int) -> str:
    return f" {percent(value, whole):>3} %"

"""How a summary looks: a picture on a terminal, columns in a pipe, JSON when asked."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from softix_proxy.cli import console
from softix_proxy.domain.calendar import date_of
from softix_proxy.domain.money import format_usd
from softix_proxy.domain.usage import CURRENCY, Total, add_up
from softix_proxy.exports.rounded import count, money, percent
from softix_proxy.operations.usage import Summary

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

_HEIGHTS = "▁▂▃▄▅▆▇█"
_WIDTHS = " ▏▎▍▌▋▊▉█"
_BAR_CELLS = 16
_MOST_ROWS = 20
_MOST_DAYS = 62
_MOST_TREND_DAYS = 31
_WIDE = 150
"""Columns of a terminal that has room for a trend in each row."""
_COLUMNS = ("name", "requests", "errors", "input_tokens", "output_tokens", "provider_cost", "charge")


def show(summary: Summary) -> None:
    rows = [{"id": total.id, "name": total.name, **_sums(total)} for total in summary.totals]
    if console.invocation().as_json:
        whole = _sums(add_up(summary.days))
        period = {"from": _date(summary.first_day), "to": _date(summary.end_day), "zone": summary.zone}
        console.show({"by": summary.by, **period, "currency": CURRENCY, "rows": rows, "total": whole})
    elif not sys.stdout.isatty():
        console.show_all(rows, _COLUMNS)
    else:
        picture(summary)


def _sums(total: Total) -> dict[str, Any]:
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


def picture(summary: Summary) -> None:
    """For a person: a bar for each subject, and a column for each day."""
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
        body = [_days(summary), Text(), _table(summary, terminal.width)]
    terminal.print(Padding(Group(title, Text(), *body), (1, 2)))


def _weight(total: Total, by_charge: bool) -> int:
    return total.charge_pico if by_charge else total.requests


def _days(summary: Summary) -> Text:
    """The last days of the period, a column each; in money, or in requests where all was free."""
    from rich.text import Text

    by_charge = any(day.charge_pico for day in summary.days)
    known = {day.id: _weight(day, by_charge) for day in summary.days}
    line = sparkline([known.get(_date(day), 0) for day in _last_days(summary, _MOST_DAYS)])
    peak = max(summary.days, key=lambda day: _weight(day, by_charge))
    most = money(peak.charge_pico) if by_charge else f"{peak.requests:,} requests"
    return Text.assemble((line, "cyan"), ("   most on ", "dim"), peak.id, ("  ", ""), (most, "bold"))


def _last_days(summary: Summary, most: int) -> range:
    """Days since 1970."""
    return range(max(summary.first_day, summary.end_day - most), summary.end_day)


def _trends(summary: Summary, by_charge: bool) -> Mapping[str, str]:
    """Subject's id → a column for each of the last days, scaled to its own highest."""
    days = _last_days(summary, _MOST_TREND_DAYS)
    return {
        subject: sparkline([_weight(trend[day], by_charge) if day in trend else 0 for day in days])
        for subject, trend in summary.trends.items()
    }


def _table(summary: Summary, width: int) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    whole = add_up(summary.days)
    by_charge = whole.charge_pico > 0
    rows = list(summary.totals)
    if summary.by != "day" and len(rows) > _MOST_ROWS:
        rows[_MOST_ROWS:] = [add_up(rows[_MOST_ROWS:], f"{len(rows) - _MOST_ROWS} others")]
    weights = [_weight(row, by_charge) for row in rows]
    table = Table(box=box.SIMPLE_HEAD, header_style="dim", pad_edge=False, show_footer=True, footer_style="bold")
    table.add_column(summary.by, "total", overflow="ellipsis", no_wrap=True, max_width=36)
    for title, footer in (
        ("requests", f"{whole.requests:,}"),
        ("errors", f"{whole.errors:,}"),
        ("tokens in", count(whole.input_tokens)),
        ("tokens out", count(whole.output_tokens)),
        ("cost", money(whole.cost_pico)),
        ("charge", money(whole.charge_pico)),
    ):
        table.add_column(title, footer, justify="right", no_wrap=True)
    table.add_column("", "", no_wrap=True)
    trends = _trends(summary, by_charge) if width >= _WIDE else {}
    if trends:
        table.add_column("day by day", "", no_wrap=True)
    for row, weight in zip(rows, weights, strict=True):
        trend = [Text(trends.get(row.id, ""), "cyan")] if trends else []
        table.add_row(
            row.name,
            f"{row.requests:,}",
            Text(f"{row.errors:,}", "red" if row.errors else "dim"),
            count(row.input_tokens),
            count(row.output_tokens),
            Text(money(row.cost_pico), "dim"),
            Text(money(row.charge_pico), "bold green"),
            Text.assemble((bar(weight, max(weights)), "green"), (share(weight, sum(weights)), "dim")),
            *trend,
        )
    return table


def sparkline(values: Sequence[int]) -> str:
    """A column each, scaled to the highest; what is nothing is a dot."""
    most = max(values, default=0)
    return "".join(_HEIGHTS[(value * len(_HEIGHTS) - 1) // most] if value else "·" for value in values)


def bar(value: int, most: int) -> str:
    """Up to `_BAR_CELLS` wide, in steps of an eighth of a cell; padded to that."""
    full, eighths = divmod(value * _BAR_CELLS * 8 // most if most else 0, 8)
    return (_WIDTHS[-1] * full + (_WIDTHS[eighths] if eighths else "")).ljust(_BAR_CELLS)


def share(value: int, whole: int) -> str:
    return f" {percent(value, whole):>3} %"

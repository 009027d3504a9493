"""Makes the chart of spending by day from sums, and draws it in steps, so that other pages are not kept waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup

from softix_proxy.domain.core.calendar import date_of
from softix_proxy.domain.metering.usage import UsageTotal
from softix_proxy.exports.core.shown import usd
from softix_proxy.exports.core.texts import Texts
from softix_proxy.exports.reporting.svg_charts import BarSeries, DayChart, draw, in_steps
from softix_proxy.operations.metering.organisation_usage import DayPeriod


class ChartPart(NamedTuple):
    """A part of the columns: its name, and its sums by the number of the day."""

    name: str
    days: Mapping[int, UsageTotal]


def spending_chart(
    period: DayPeriod, days: Sequence[UsageTotal], parts: Sequence[ChartPart], texts: Texts
) -> DayChart | None:
    """Returns the chart. It shows requests if all of them were free, and is None if there were none.

    What the parts leave of a day is a last part of its own.
    """
    if not days:
        return None
    by_charge = any(day.charge_pico for day in days)
    weight = _charge if by_charge else _requests
    known = {day.id: weight(day) for day in days}
    numbers = range(period.first_day, period.end_day)
    sums = [known.get(date_of(number).isoformat(), 0) for number in numbers]
    series = [
        BarSeries(part.name, [weight(part.days[number]) if number in part.days else 0 for number in numbers])
        for part in parts
    ]
    rest = [whole - sum(each.amounts[at] for each in series) for at, whole in enumerate(sums)]
    if any(amount > 0 for amount in rest):
        series.append(BarSeries(texts.text("charts.others") if parts else texts.text("charts.all"), rest))
    shown = _shown(by_charge)
    title = texts.text("charts.charge_title" if by_charge else "charts.requests_title")
    told = texts.text(
        "charts.description",
        first=period.first,
        last=period.last,
        total=shown(sum(sums)),
        most=shown(max(sums)),
        day=date_of(period.first_day + sums.index(max(sums))),
    )
    return DayChart("by-day", title, told, [date_of(number) for number in numbers], series, shown)


async def drawn(chart: DayChart | None) -> Markup | None:
    """Returns the chart as markup. Others get their turn while a long one is drawn."""
    if chart is None:
        return None
    parts = []
    for part in in_steps(draw(chart)):
        parts.append(part)
        await asyncio.sleep(0)
    return Markup("".join(parts))  # noqa: S704 # every text in it was escaped where it was drawn


def _charge(total: UsageTotal) -> int:
    return max(total.charge_pico, 0)


def _requests(total: UsageTotal) -> int:
    return total.requests


def _shown(by_charge: bool) -> Callable[[int], str]:
    return usd if by_charge else "{:,}".format

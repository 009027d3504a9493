"""Compares a provider's own bill with softix's records, by day and model."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from softix_proxy.domain.core.clock import DAY_US, parse_instant
from softix_proxy.domain.core.errors import BadInputError, NotFoundError
from softix_proxy.domain.core.money import PICO_PER_USD
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.domain.reporting.reconciliation import (
    ALL_MODELS,
    UNNAMED,
    ComparedDay,
    ComparedSums,
    Matcher,
    ProviderBillLine,
    Reconciliation,
    explain,
)
from softix_proxy.imports.formats import ProviderBill

MOST_SUBJECTS = 200_000
"""The most pairs of day and model of one bill. They are kept in memory."""
_Names = tuple[str, ...]


@dataclass(slots=True)
class _Read:
    """The sums of a bill."""

    sides: dict[tuple[int, str], ComparedSums] = field(default_factory=dict)
    step_pico: int = PICO_PER_USD
    """The smallest amount that the decimals of any line show."""
    named: bool = False
    left_out: int = 0

    def add(self, line: ProviderBillLine | None) -> None:
        if line is None:
            self.left_out += 1
            return
        side = self.sides.setdefault((line.day, line.model or UNNAMED), ComparedSums())
        if len(self.sides) > MOST_SUBJECTS:
            raise BadInputError(
                f"the bill has more than {MOST_SUBJECTS:,} days and models", "compare fewer days at once"
            )
        side.add_bill(line)
        self.step_pico = min(self.step_pico, line.step_pico)
        self.named = self.named or line.model is not None


async def reconcile(
    storage: Storage,
    provider: str,
    bill: ProviderBill,
    *,
    from_: str | None = None,
    to: str | None = None,
    tolerance: Fraction = Fraction(0),
) -> Reconciliation:
    """Compares whole days (UTC) by the time of posting. Without dates it compares the days of the bill.

    Raises NotFoundError for an unknown provider. Raises BadInputError for a bill that cannot be read or is empty.
    """
    unit = storage.reading()
    found = await unit.providers.find(provider)
    if found is None:
        raise NotFoundError(f"no provider {provider!r}", "see: softix providers list")
    read = _Read()
    for line in bill.lines:
        read.add(line)
    first_day, end_day = _days(read, from_, to)
    ours = await _recorded(unit, found.name, first_day, end_day)
    matcher = Matcher({name for day, name in read.sides if first_day <= day < end_day} - {UNNAMED})
    matches = {names: matcher.match(names) for _, names in ours}
    both: dict[tuple[int, str], ComparedSums] = {}
    outside = 0
    for (day, name), side in read.sides.items():
        if first_day <= day < end_day:
            subject = matcher.subject(name) if read.named else ALL_MODELS
            both.setdefault((day, subject), ComparedSums()).add(side)
        else:
            outside += side.bill_lines
    for (day, names), side in ours.items():
        subject = matcher.subject(matches[names] or names[0]) if read.named else ALL_MODELS
        both.setdefault((day, subject), ComparedSums()).add(side)
    return Reconciliation(
        provider=found.name,
        measure=bill.measure,
        first_day=first_day,
        end_day=end_day,
        lines=[
            ComparedDay(
                day, model, side, side.ours(bill.measure), side.theirs(bill.measure), explain(side, bill.measure, step)
            )
            for (day, model), side in sorted(both.items())
            for step in [read.step_pico]
            if side.ours(bill.measure) or side.theirs(bill.measure)
        ],
        unknown_models=sorted(matcher.unmatched),
        missing_models=sorted({names[0] for names, match in matches.items() if match is None}) if read.named else [],
        outside_period=outside,
        left_out=read.left_out,
        tolerance=tolerance,
    )


async def _recorded(unit: Unit, provider: str, first_day: int, end_day: int) -> dict[tuple[int, _Names], ComparedSums]:
    """Returns the sums by day and by the names of a model: served, upstream and requested."""
    ours: dict[tuple[int, _Names], ComparedSums] = {}
    async for cost in unit.usage.daily_costs(provider, first_day, end_day):
        names = tuple(dict.fromkeys(name for name in (cost.model_served, cost.upstream_name, cost.model) if name))
        ours.setdefault((cost.day, names), ComparedSums()).add_cost(cost)
    return ours


def _days(read: _Read, from_: str | None, to: str | None) -> tuple[int, int]:
    """Returns the days to compare. Raises BadInputError for instants within a day, and for an empty period or bill."""
    days = [day for day, _ in read.sides]
    if not days:
        raise BadInputError(
            "the bill has no line about any model", "see docs/reconciling.md for what each format needs"
        )
    first_us = parse_instant(from_) if from_ else min(days) * DAY_US
    end_us = parse_instant(to) if to else (max(days) + 1) * DAY_US
    if first_us % DAY_US or end_us % DAY_US:
        raise BadInputError("a bill is compared by whole days (UTC)", "give dates such as 2026-10-01")
    if first_us >= end_us:
        raise BadInputError("the period is empty", "--to is exclusive and must be after --from")
    return first_us // DAY_US, end_us // DAY_US

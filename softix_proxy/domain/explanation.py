"""How a charge and a cost came about: worked out again from the usage row and its price versions, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from softix_proxy.domain.money import MAX_PICO
from softix_proxy.domain.pricing import STANDARD, UNKNOWN_COSTS, PricedMeter, PriceSheet, Rate
from softix_proxy.domain.settlement import unpriced_in
from softix_proxy.domain.usage import AttemptRow, UsageRow, UsageSource

LIMITED_TO_HOLD = "limited_to_hold"
"""The note on a row whose charge was cut to what had been held for it."""


@dataclass(frozen=True, slots=True)
class Explained:
    """A usage row, and how its charge and its cost came about; no lines where no price was applied."""

    row: UsageRow
    lines: Sequence[PricedMeter] = ()
    cost_lines: Sequence[PricedMeter] = ()
    """What the provider asks: the same lines, unless the row names another price version for it."""
    fee_pico: int = 0
    """For the request; part of the charge."""
    unpriced: tuple[str, ...] = ()
    """What was reported and has no price."""
    uncosted: tuple[str, ...] = ()
    """What was reported, and is missing in the cost."""
    earlier_pico: int | None = None
    """Of a correction: what had been charged before. The lines are then those of the request that it corrects."""
    earlier_cost_pico: int | None = None
    """Of a correction: what the cost had been before."""
    stated: bool = False
    """The amount is an operator's word: nothing can be worked out."""
    cost_alone: bool = False
    """A correction of what the provider asks: the charge stays as it was."""
    attempts: Sequence[AttemptRow] = ()
    """What preceded and failed; what is charged for it is part of the charge."""
    corrections: Sequence[UsageRow] = ()
    """What was posted later to make good for it, the oldest first."""

    @property
    def sum_pico(self) -> int:
        """What the lines, the fee and the attempts that failed add up to."""
        return sum(line.charge_pico for line in self.lines) + self.fee_pico + self.attempts_pico

    @property
    def attempts_pico(self) -> int:
        return sum(attempt.charge_pico for attempt in self.attempts)

    @property
    def limited(self) -> bool:
        return LIMITED_TO_HOLD in (self.row.note or "").split()

    @property
    def charge_pico(self) -> int:
        """What the row should say."""
        row = self.row
        if self.stated or self.cost_alone:
            return row.charge_pico
        if row.source is UsageSource.INTERRUPTED:  # the operator's setting of that time: all of the hold, or nothing
            return row.hold_pico if row.charge_pico > self.attempts_pico else self.attempts_pico
        charge_pico = min(self.sum_pico, row.hold_pico) if self.limited else self.sum_pico
        return min(charge_pico, MAX_PICO) - (self.earlier_pico or 0)

    @property
    def cost_pico(self) -> int:
        """The provider's; of a correction, of the whole request."""
        return min(sum(line.cost_pico for line in self.cost_lines), MAX_PICO)

    @property
    def agrees(self) -> bool:
        """Whether the row says what its own prices and quantities give."""
        return self.charge_pico == self.row.charge_pico and (self.stated or self.cost_agrees)

    @property
    def cost_agrees(self) -> bool:
        return self.cost_pico - (self.earlier_cost_pico or 0) == self.row.cost_pico

    @property
    def final_pico(self) -> int:
        """With all corrections."""
        return self.row.charge_pico + sum(correction.charge_pico for correction in self.corrections)

    @property
    def final_cost_pico(self) -> int:
        """The same of the cost."""
        return self.row.cost_pico + sum(correction.cost_pico for correction in self.corrections)


def explain(
    row: UsageRow,
    sheet: PriceSheet | None,
    corrections: Sequence[UsageRow] = (),
    attempts: Sequence[AttemptRow] = (),
    cost_sheet: PriceSheet | None = None,
) -> Explained:
    """`sheet` is that of the row's price version, `cost_sheet` that of its cost, where that is another."""
    if sheet is None or not row.meters:
        return Explained(row, attempts=attempts, corrections=corrections)
    rate = Rate(row.price_id or 0, sheet, row.markup, row.fee_pico, _costs(row, cost_sheet))
    tier = row.service_tier or STANDARD
    lines = rate.lines(row.meters, tier)
    unpriced = tuple(dict.fromkeys((*rate.price(row.meters, tier).unpriced, *unpriced_in(row.note))))
    return Explained(
        row,
        lines,
        lines if rate.costs is None else rate.costs.lines(row.meters, tier),
        row.fee_pico,
        unpriced,
        rate.uncosted(row.meters, tier),
        attempts=attempts,
        corrections=corrections,
    )


def _costs(row: UsageRow, sheet: PriceSheet | None) -> Rate | None:
    if row.cost_price_id is None:
        return None
    return UNKNOWN_COSTS if sheet is None else Rate(row.cost_price_id, sheet)


def explain_correction(
    row: UsageRow,
    corrected: UsageRow,
    earlier: Sequence[UsageRow],
    sheet: PriceSheet | None,
    attempts: Sequence[AttemptRow] = (),
    cost_sheet: PriceSheet | None = None,
) -> Explained:
    """A difference: to what the request costs at the correction's own prices, or to what an operator stated."""
    right = replace(
        corrected, price_id=row.price_id, markup=row.markup, fee_pico=row.fee_pico, cost_price_id=row.cost_price_id
    )
    found = explain(right, sheet, (), attempts, cost_sheet)
    repriced = replace(
        found,
        row=row,
        earlier_pico=corrected.charge_pico + sum(correction.charge_pico for correction in earlier),
        earlier_cost_pico=corrected.cost_pico + sum(correction.cost_pico for correction in earlier),
    )
    if row.cost_pico and not row.charge_pico and repriced.cost_agrees:
        return replace(repriced, lines=(), fee_pico=0, attempts=(), earlier_pico=None, cost_alone=True)
    return repriced if repriced.agrees else Explained(row, stated=True)

"""Explains a charge and a cost: calculates them again from the usage row and its price versions, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from softix_proxy.domain.core.money import MAX_PICO
from softix_proxy.domain.metering.settlement import ABOVE_HOLD, LIMITED_TO_BALANCE, unpriced_in
from softix_proxy.domain.metering.usage import AttemptRow, UsageRow, UsageSource
from softix_proxy.domain.pricing.rates import STANDARD, UNKNOWN_COSTS, PricedMeter, PriceSheet, Rate

LIMITED_TO_HOLD = "limited_to_hold"
"""The note on a row of an older version, whose charge was cut to the hold of the request."""
LIMITED = (LIMITED_TO_BALANCE, LIMITED_TO_HOLD)
"""The notes on rows whose charge is less than their price."""


@dataclass(frozen=True, slots=True)
class Explained:
    """A usage row with the derivation of its charge and its cost. It has no lines if no price was applied."""

    row: UsageRow
    lines: Sequence[PricedMeter] = ()
    cost_lines: Sequence[PricedMeter] = ()
    """The lines of the provider's price.

    They equal `lines`, unless the row names another price version for the cost.
    """
    fee_pico: int = 0
    """The fee for the request, which is part of the charge."""
    unpriced: tuple[str, ...] = ()
    """The meters that were reported and have no price."""
    uncosted: tuple[str, ...] = ()
    """The meters that were reported and are missing in the cost."""
    earlier_pico: int | None = None
    """The earlier charge, for a correction. The lines are then those of the request that it corrects."""
    earlier_cost_pico: int | None = None
    """The earlier cost, for a correction."""
    stated: bool = False
    """Whether an operator stated the amount, so that nothing can be calculated."""
    cost_alone: bool = False
    """Whether this is a correction of the cost only, so that the charge stays as it was."""
    attempts: Sequence[AttemptRow] = ()
    """The failed attempts that preceded. Their charge is part of the charge of the request."""
    corrections: Sequence[UsageRow] = ()
    """The corrections that were posted later, the oldest first."""

    @property
    def sum_pico(self) -> int:
        """The sum of the lines, the fee and the failed attempts."""
        return sum(line.charge_pico for line in self.lines) + self.fee_pico + self.attempts_pico

    @property
    def attempts_pico(self) -> int:
        return sum(attempt.charge_pico for attempt in self.attempts)

    @property
    def limited(self) -> bool:
        """Whether the charge is less than the sum, because the balance did not reach further."""
        return any(self.is_noted(word) for word in LIMITED)

    @property
    def above_hold_pico(self) -> int:
        """The amount by which the sum exceeds what was held. It is 0 if the row does not say that it does."""
        return self.sum_pico - self.row.hold_pico if self.limited or self.is_noted(ABOVE_HOLD) else 0

    def is_noted(self, word: str) -> bool:
        return word in (self.row.note or "").split()

    @property
    def charge_pico(self) -> int:
        """The charge that the row should have."""
        row = self.row
        if self.stated or self.cost_alone:
            return row.charge_pico
        if row.source is UsageSource.INTERRUPTED:  # the setting of that time decides: all of the hold or nothing
            return row.hold_pico if row.charge_pico > self.attempts_pico else self.attempts_pico
        charge_pico = self._within(self.sum_pico)
        return min(charge_pico, MAX_PICO) - (self.earlier_pico or 0)

    def _within(self, sum_pico: int) -> int:
        """Returns the part of the sum that could be charged.

        No row has the balance of its moment. So any charge from the hold up to the sum may be right.
        """
        hold_pico = self.row.hold_pico
        if self.is_noted(LIMITED_TO_HOLD):
            return min(sum_pico, hold_pico)
        if self.is_noted(LIMITED_TO_BALANCE):
            return min(sum_pico, max(hold_pico, self.row.charge_pico))
        return sum_pico

    @property
    def cost_pico(self) -> int:
        """The provider's cost of the request. For a correction, this is the cost of the whole corrected request."""
        return min(sum(line.cost_pico for line in self.cost_lines), MAX_PICO)

    @property
    def agrees(self) -> bool:
        """Whether the row equals the result of its own prices and quantities."""
        return self.charge_pico == self.row.charge_pico and (self.stated or self.cost_agrees)

    @property
    def cost_agrees(self) -> bool:
        return self.cost_pico - (self.earlier_cost_pico or 0) == self.row.cost_pico

    @property
    def final_pico(self) -> int:
        """The charge with all corrections."""
        return self.row.charge_pico + sum(correction.charge_pico for correction in self.corrections)

    @property
    def final_cost_pico(self) -> int:
        """The cost with all corrections."""
        return self.row.cost_pico + sum(correction.cost_pico for correction in self.corrections)


def explain(
    row: UsageRow,
    sheet: PriceSheet | None,
    corrections: Sequence[UsageRow] = (),
    attempts: Sequence[AttemptRow] = (),
    cost_sheet: PriceSheet | None = None,
) -> Explained:
    """Explains a row.

    `sheet` is that of the row's price version, and `cost_sheet` that of its cost if it is another.
    """
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
    """Explains a correction as a difference.

    The difference is to the price of the request at the correction's own prices, or to an amount that an operator
    stated.
    """
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

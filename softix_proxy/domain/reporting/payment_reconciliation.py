"""Compares the payment provider's own report of its balance with the books."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from softix_proxy.domain.ledger.payments import PostingCause


class BalanceReportLine(NamedTuple):
    """One line of the report. Amounts are signed as there: a refund is negative."""

    day: int
    """The number of days since 1970, UTC."""
    intent_id: str
    """The provider's id of the payment. Empty if the line is about none."""
    cause: PostingCause | None
    """None for anything else, such as a payout."""
    gross_cents: int
    fee_pico: int
    category: str
    """Stripe's reporting category, such as `charge` (https://docs.stripe.com/reports/reporting-categories)."""
    id: str = ""
    """The provider's id of the line, if the report has it."""


class ComparedPayment(NamedTuple):
    """A payment in which the report and the books differ."""

    payment: str
    """Our public id, or empty if the books do not have it."""
    intent_id: str
    cause: PostingCause
    ours_cents: int
    theirs_cents: int

    @property
    def difference_cents(self) -> int:
        return self.theirs_cents - self.ours_cents


@dataclass(frozen=True, slots=True)
class PaymentReconciliation:
    """What came out of a comparison."""

    first_day: int
    end_day: int
    ours_cents: int
    theirs_cents: int
    fees_pico: int
    payments: int
    """How many payments were compared."""
    differing: Sequence[ComparedPayment]
    other_lines: int
    """How many lines of the report are about no payment of softix: payouts, fees, and payments of other programs."""

    @property
    def agrees(self) -> bool:
        return not self.differing

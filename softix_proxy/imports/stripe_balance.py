"""Reads Stripe's reports "balance change from activity" and "payouts", itemized.

The columns are those of https://docs.stripe.com/reports/report-types.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import BinaryIO

from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.core.money import PICO_PER_CENT
from softix_proxy.domain.ledger.payments import PostingCause
from softix_proxy.domain.reporting.payment_reconciliation import BalanceReportLine
from softix_proxy.imports import tables, values

_CAUSES: Mapping[str, PostingCause] = {
    "charge": PostingCause.PAYMENT,
    "charge_failure": PostingCause.PAYMENT,
    "refund": PostingCause.REFUND,
    "refund_failure": PostingCause.REFUND,
    "dispute": PostingCause.DISPUTE,
    "dispute_reversal": PostingCause.DISPUTE,
}
"""Reporting category → what it is here (https://docs.stripe.com/reports/reporting-categories)."""
_NEEDED = ("currency", "gross", "fee", "reporting_category")
_PAYMENT = "payment_intent_id"
_DATES = ("created_utc", "created", "effective_at_utc", "effective_at")
"""A report of payouts has the day on which a payout counts."""


def read(file: BinaryIO, name: str, *, payouts: bool = False) -> Iterator[BalanceReportLine]:
    """Yields the lines. A report of payouts, if that may be one, names no payments.

    Raises BadInputError for a missing column, another currency, and a value that is none.
    """
    table = tables.read(file, name)
    created = next((column for column in _DATES if column in table.columns), None)
    needed = _NEEDED if payouts and "payout_id" in table.columns else (*_NEEDED, _PAYMENT)
    missing = [column for column in needed if column not in table.columns]
    if created is None or missing:
        wanted = missing or [_DATES[0]]
        raise BadInputError(
            f"{name} has no column {wanted[0]}",
            "export Balance change from activity, itemized, with the columns in docs/payments.md",
        )
    for place, row in table.rows:
        values.currency(row["currency"], place._replace(column="currency"))
        gross_pico, _ = values.amount(row["gross"], place._replace(column="gross"))
        fee_pico, _ = values.amount(row["fee"] or "0", place._replace(column="fee"))
        category = row["reporting_category"].strip()
        yield BalanceReportLine(
            day=values.day(row[created], place._replace(column=created)),
            intent_id=row.get(_PAYMENT, "").strip(),
            cause=_CAUSES.get(category),
            gross_cents=gross_pico // PICO_PER_CENT,
            fee_pico=fee_pico,
            category=category,
            id=row.get("balance_transaction_id", "").strip(),
        )

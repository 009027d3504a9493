"""Reads Stripe's report "balance change from activity, itemized" (https://docs.stripe.com/reports/report-types/balance)."""

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
_NEEDED = ("currency", "gross", "fee", "reporting_category", "payment_intent_id")
_CREATED = ("created_utc", "created")


def read(file: BinaryIO, name: str) -> Iterator[BalanceReportLine]:
    """Yields the lines. Raises BadInputError for a missing column, another currency, and a value that is none."""
    table = tables.read(file, name)
    created = next((column for column in _CREATED if column in table.columns), None)
    missing = [column for column in _NEEDED if column not in table.columns]
    if created is None or missing:
        wanted = missing or [_CREATED[0]]
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
            intent_id=row["payment_intent_id"].strip(),
            cause=_CAUSES.get(category),
            gross_cents=gross_pico // PICO_PER_CENT,
            fee_pico=fee_pico,
            category=category,
        )

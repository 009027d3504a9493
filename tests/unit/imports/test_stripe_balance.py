"""The columns are those of Stripe's report `balance_change_from_activity.itemized`."""

from __future__ import annotations

import io

import pytest

from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.ledger.payments import PostingCause
from softix_proxy.domain.reporting.payment_reconciliation import BalanceReportLine
from softix_proxy.imports import stripe_balance

HEADER = "balance_transaction_id,created_utc,currency,gross,fee,net,reporting_category,payment_intent_id"
DAY = 20_727  # 2026-10-01


def read(*rows: str, header: str = HEADER) -> list[BalanceReportLine]:
    return list(stripe_balance.read(io.BytesIO("\n".join((header, *rows)).encode()), "activity.csv"))


def test_lines_are_read_with_their_cause_in_cents() -> None:
    found = read(
        "txn_1,2026-10-01 09:12:00,usd,29.75,1.16,28.59,charge,pi_1",
        "txn_2,2026-10-01 11:00:00,usd,-10.00,0.00,-10.00,refund,pi_1",
        "txn_3,2026-10-02 08:00:00,usd,-29.75,15.00,-44.75,dispute,pi_1",
        "txn_4,2026-10-03 06:00:00,usd,-44.45,0.00,-44.45,payout,",
    )
    assert found == [
        BalanceReportLine(DAY, "pi_1", PostingCause.PAYMENT, 2975, 1_160_000_000_000, "charge", "txn_1"),
        BalanceReportLine(DAY, "pi_1", PostingCause.REFUND, -1000, 0, "refund", "txn_2"),
        BalanceReportLine(DAY + 1, "pi_1", PostingCause.DISPUTE, -2975, 15 * 10**12, "dispute", "txn_3"),
        BalanceReportLine(DAY + 2, "", None, -4445, 0, "payout", "txn_4"),
    ]


PAYOUTS = "payout_id,effective_at_utc,currency,gross,fee,net,reporting_category"


def test_report_of_payouts_has_no_payments_and_is_read_where_one_may_be() -> None:
    text = f"{PAYOUTS}\npo_1,2026-10-02 00:00:00,usd,-40.00,0.40,-40.40,payout\n".encode()
    [found] = stripe_balance.read(io.BytesIO(text), "payouts.csv", payouts=True)
    assert found == BalanceReportLine(DAY + 1, "", None, -4000, 4 * 10**11, "payout")
    with pytest.raises(BadInputError, match="no column payment_intent_id"):
        list(stripe_balance.read(io.BytesIO(text), "payouts.csv"))


@pytest.mark.parametrize(
    ("row", "header", "said"),
    [
        ("txn_1,2026-10-01 09:12:00,eur,1.00,0.00,1.00,charge,pi_1", HEADER, "currency"),
        ("txn_1,2026-10-01 09:12:00,usd,1e,0.00,1.00,charge,pi_1", HEADER, "gross"),
        ("txn_1,yesterday,usd,1.00,0.00,1.00,charge,pi_1", HEADER, "created_utc"),
        ("x", "id", "no column currency"),
        ("usd,1,1,charge,pi", "currency,gross,fee,reporting_category,payment_intent_id", "no column created_utc"),
    ],
)
def test_report_that_cannot_be_compared_names_what_is_wrong(row: str, header: str, said: str) -> None:
    with pytest.raises(BadInputError, match=said):
        read(row, header=header)

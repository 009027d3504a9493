from __future__ import annotations

from softix_proxy.domain.ledger.payments import PostingCause
from softix_proxy.domain.reporting.payment_reconciliation import ComparedPayment, PaymentReconciliation


def test_reconciliation_agrees_only_without_a_differing_payment() -> None:
    line = ComparedPayment("pay_1", "pi_1", PostingCause.REFUND, -500, -700)
    assert line.difference_cents == -200
    assert not PaymentReconciliation(1, 2, 0, 0, 0, 1, [line], 0).agrees
    assert PaymentReconciliation(1, 2, 0, 0, 0, 1, [], 3).agrees

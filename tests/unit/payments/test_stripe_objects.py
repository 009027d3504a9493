from __future__ import annotations

from typing import Any

import pytest

from softix_proxy.domain.ledger.payments import FetchedDispute, FetchedRefund, PaymentState
from softix_proxy.payments.stripe_objects import id_of, is_ours, payment_named, read_payment

SESSION: dict[str, Any] = {"id": "cs_1", "status": "complete", "currency": "usd", "total_details": {"amount_tax": 190}}
INTENT: dict[str, Any] = {"id": "pi_1", "status": "succeeded", "amount_received": 1190, "currency": "usd"}


@pytest.mark.parametrize(
    ("session", "intent", "state"),
    [
        (None, None, PaymentState.OPEN),
        ({"status": "open"}, None, PaymentState.OPEN),
        ({"status": "open"}, {"status": "requires_payment_method"}, PaymentState.OPEN),
        ({"status": "expired"}, None, PaymentState.EXPIRED),
        ({"status": "complete"}, {"status": "processing"}, PaymentState.PROCESSING),
        ({"status": "complete"}, None, PaymentState.PROCESSING),
        ({"status": "complete"}, {"status": "requires_payment_method"}, PaymentState.FAILED),
        ({"status": "complete"}, {"status": "canceled"}, PaymentState.FAILED),
        ({"status": "complete"}, INTENT, PaymentState.PAID),
        ({"status": "expired"}, INTENT, PaymentState.PAID),
        (None, INTENT, PaymentState.PAID),
        (None, {"status": "processing"}, PaymentState.PROCESSING),
        (None, {"status": "requires_payment_method"}, PaymentState.FAILED),
        (None, {"status": "requires_action"}, PaymentState.FAILED),
        (None, {"status": "succeeded", "amount_received": 0}, PaymentState.FAILED),
    ],
)
def test_state_is_paid_by_received_money_alone(
    session: dict[str, Any] | None, intent: dict[str, Any] | None, state: PaymentState
) -> None:
    assert read_payment(session, intent).state is state


def test_payment_is_read_with_its_tax_refunds_and_disputes() -> None:
    refunds = [
        {"id": "re_1", "amount": 500, "status": "succeeded", "metadata": {"softix_refund": "rfd_1"}},
        {"id": "re_2", "amount": 90, "status": "pending", "metadata": None},
        {"id": "re_3", "amount": 7, "status": "failed"},
        {"id": "re_4", "amount": 8, "status": "canceled"},
    ]
    found = read_payment(SESSION, INTENT, refunds)
    assert (found.total_cents, found.tax_cents, found.currency) == (1190, 190, "usd")
    assert (found.session_id, found.intent_id) == ("cs_1", "pi_1")
    assert found.refunds == (
        FetchedRefund("re_1", 500, False, True, "rfd_1"),
        FetchedRefund("re_2", 90, False, False),
        FetchedRefund("re_3", 7, True, False),
        FetchedRefund("re_4", 8, True, False),
    )


def test_dispute_counts_by_what_it_moved_without_the_fee() -> None:
    out = {"amount": -1190, "fee": 1500, "net": -2690, "currency": "usd"}
    back = {"amount": 1190, "fee": 0, "net": 1190, "currency": "usd"}
    dispute = {"id": "du_1", "amount": 1190, "currency": "usd"}
    for moved, expected in (
        ([], FetchedDispute("du_1", 0, 0)),
        ([out], FetchedDispute("du_1", 1190, 0)),
        ([out, back], FetchedDispute("du_1", 1190, 1190)),
        # The account's balance is in euros: the dispute's own amount counts.
        ([{"amount": -1099, "currency": "eur"}], FetchedDispute("du_1", 1190, 0)),
    ):
        found = read_payment(SESSION, INTENT, (), [{**dispute, "balance_transactions": moved}])
        assert found.disputes == (expected,)


def test_failure_is_the_banks_code_or_stripes() -> None:
    error = {"code": "card_declined", "decline_code": "insufficient_funds"}
    assert read_payment(None, {"status": "requires_payment_method", "last_payment_error": error}).failure == (
        "insufficient_funds"
    )
    assert read_payment(None, {"status": "canceled", "last_payment_error": {"code": "expired_card"}}).failure == (
        "expired_card"
    )


def test_object_names_our_payment_in_its_metadata_only() -> None:
    assert payment_named({"metadata": {"softix_payment": "pay_1"}, "client_reference_id": "pay_2"}) == "pay_1"
    assert payment_named({"client_reference_id": "pay_2", "metadata": None}) is None
    assert is_ours({"metadata": {"softix_payment": "pay_1"}}, "pay_1") and not is_ours({}, "pay_1")
    assert (id_of({"id": "x"}), id_of("y"), id_of(None)) == ("x", "y", None)

"""Reads Stripe's objects. The names are those of its API (https://docs.stripe.com/api), version 2026-10-28."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from softix_proxy.domain.ledger.payments import (
    PAYMENT_CURRENCY,
    FetchedDispute,
    FetchedPayment,
    FetchedRefund,
    PaymentState,
)

PAYMENT_NAME = "softix_payment"
"""The name in the metadata of Stripe's objects under which our id of the payment is."""
REFUND_NAME = "softix_refund"


def is_ours(thing: Mapping[str, Any], public_id: str) -> bool:
    return payment_named(thing) == public_id


def payment_named(thing: Mapping[str, Any]) -> str | None:
    """Returns our id of the payment, as Stripe has it."""
    metadata = thing.get("metadata") or {}
    named = metadata.get(PAYMENT_NAME)
    return named if isinstance(named, str) else None


def id_of(value: Any) -> str | None:
    """Returns the id of an object that may be expanded."""
    if isinstance(value, Mapping):
        value = value.get("id")
    return value if isinstance(value, str) else None


def read_payment(
    session: Mapping[str, Any] | None,
    intent: Mapping[str, Any] | None,
    refunds: Sequence[Mapping[str, Any]] = (),
    disputes: Sequence[Mapping[str, Any]] = (),
) -> FetchedPayment:
    """Returns the payment as Stripe has it: its page if there was one, and the payment intent once there is one."""
    state = _state(session, intent)
    received_cents = int((intent or {}).get("amount_received") or 0)
    currency = str((intent or session or {}).get("currency") or PAYMENT_CURRENCY).lower()
    details = (session or {}).get("total_details") or {}
    error = (intent or {}).get("last_payment_error") or {}
    return FetchedPayment(
        state=state,
        currency=currency,
        total_cents=received_cents,
        tax_cents=min(int(details.get("amount_tax") or 0), received_cents),
        refunds=tuple(_refund(one) for one in refunds),
        disputes=tuple(_dispute(one) for one in disputes),
        session_id=id_of(session),
        intent_id=id_of(intent),
        failure=str(error.get("decline_code") or error.get("code") or "")[:64],
    )


def _state(session: Mapping[str, Any] | None, intent: Mapping[str, Any] | None) -> PaymentState:
    """Returns the state. Only money that was received makes a payment paid.

    A page that is completed and unpaid is still on its way, for example by bank transfer: it has not failed.
    """
    status = (intent or {}).get("status")
    if intent is not None and int(intent.get("amount_received") or 0) > 0:
        return PaymentState.PAID
    if status == "processing":
        return PaymentState.PROCESSING
    if session is not None:
        if session.get("status") == "expired":
            return PaymentState.EXPIRED
        if session.get("status") != "complete":
            return PaymentState.OPEN
        failed = status in ("requires_payment_method", "canceled")
        return PaymentState.FAILED if failed else PaymentState.PROCESSING
    return PaymentState.OPEN if intent is None else PaymentState.FAILED


def _refund(refund: Mapping[str, Any]) -> FetchedRefund:
    """Reads a refund. Its states: pending, requires_action, succeeded, failed, canceled."""
    metadata = refund.get("metadata") or {}
    status = refund.get("status")
    return FetchedRefund(
        id=str(refund["id"]),
        amount_cents=int(refund["amount"]),
        is_void=status in ("failed", "canceled"),
        is_final=status == "succeeded",
        request=str(metadata.get(REFUND_NAME) or ""),
    )


def _dispute(dispute: Mapping[str, Any]) -> FetchedDispute:
    """Reads a dispute by what it moved: up to two balance transactions, one that withdraws and one that reinstates.

    Their amounts are without the fee. If the account's balance is in another currency, the dispute's amount counts.
    """
    withdrawn_cents = reinstated_cents = 0
    for moved in dispute.get("balance_transactions") or ():
        same = str(moved.get("currency") or "").lower() == str(dispute.get("currency") or "").lower()
        cents = abs(int(moved["amount"])) if same else int(dispute["amount"])
        if int(moved["amount"]) < 0:
            withdrawn_cents += cents
        else:
            reinstated_cents += cents
    return FetchedDispute(str(dispute["id"]), withdrawn_cents, reinstated_cents)

"""One payment with all that belongs to it, written by the names of fields alone."""

from __future__ import annotations

from softix_proxy.domain.ledger.auto_top_ups import AutoTopUp
from softix_proxy.domain.ledger.payments import OnlinePayment, PaymentKind, PaymentPosting, PaymentState, PostingCause
from softix_proxy.domain.ledger.refunds import RefundRequest, RefundState
from softix_proxy.domain.ports.storage import Unit

ADA = 1


async def write_payment(unit: Unit) -> None:
    payment = await unit.payments.add(
        OnlinePayment(
            id=0,
            public_id="pay_one",
            user_id=ADA,
            kind=PaymentKind.CHECKOUT,
            state=PaymentState.PAID,
            asked_cents=91,
            asked_tax_cents=92,
            is_live=True,
            created_at_us=93,
            account_id=94,
            session_id="cs_1",
            intent_id="pi_1",
            paid_cents=99,
            tax_cents=95,
            refunded_cents=96,
            disputed_cents=97,
            held_cents=98,
            credit_pico=100,
            failure="none",
            changed_at_us=101,
        )
    )
    await _write_parts(unit, payment.id)


async def _write_parts(unit: Unit, payment_id: int) -> None:
    await unit.payments.record(
        PaymentPosting(
            transfer_id=102,
            payment_id=payment_id,
            cause=PostingCause.REFUND,
            amount_pico=103,
            gross_cents=104,
            fetch=105,
        )
    )
    await unit.payments.refunds.add(
        RefundRequest(
            id=0,
            public_id="rfd_one",
            payment_id=payment_id,
            amount_cents=106,
            state=RefundState.APPROVED,
            created_at_us=107,
            account_id=108,
            refund_id="re_1",
            answered_at_us=109,
        )
    )
    await unit.payments.auto_top_ups.set(
        AutoTopUp(
            user_id=ADA,
            enabled=True,
            threshold_cents=110,
            amount_cents=111,
            monthly_cap_cents=112,
            failures=113,
            next_at_us=114,
            paused_at_us=115,
        )
    )
    await unit.payments.see("evt_1", payment_id, 116)
    await unit.payments.claim_customer(ADA, True, "claim", 117)
    await unit.payments.set_customer(ADA, True, "cus_1")

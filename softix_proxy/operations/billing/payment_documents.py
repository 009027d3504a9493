"""What follows from a payment, in its own transaction: receipts, credit notes, and messages to people."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from softix_proxy.domain.billing.bill import Document, Payment
from softix_proxy.domain.billing.seller import Billing
from softix_proxy.domain.core.errors import OperatorError
from softix_proxy.domain.ledger.payments import OnlinePayment, PaymentPosting, PaymentState, PostingCause
from softix_proxy.domain.ports.storage import Unit
from softix_proxy.operations.billing import bill, receipts
from softix_proxy.operations.notices import payment_notices

log = logging.getLogger("softix.payments")


@dataclass(frozen=True, slots=True)
class PaymentDocuments:
    """Implements `operations.ledger.payments.PaymentFollowUp`."""

    billing: Billing

    async def __call__(
        self, unit: Unit, before: OnlinePayment, after: OnlinePayment, postings: Sequence[PaymentPosting]
    ) -> None:
        for posting in postings:
            if posting.cause is not PostingCause.HOLD and not posting.is_rounding:
                document = await self._issue(unit, after, posting)
                number = document.number if document else ""
                await payment_notices.posted(unit, after, posting, number)
        if before.state is not after.state:
            await self._tell_state(unit, after)
        known = await unit.payments.auto_top_ups.get(after.user_id)
        if known is not None and known.paused_at_us == after.changed_at_us:  # it was paused in this transaction
            await payment_notices.paused(unit, after, known)

    async def _issue(self, unit: Unit, payment: OnlinePayment, posting: PaymentPosting) -> Document | None:
        """Issues the document. A payment counts without it: the billing run issues it, or says what is missing."""
        user = await unit.users.get(payment.user_id)
        transfer = Payment(
            id=posting.transfer_id,
            user_id=user.id,
            kind="top-up",
            amount_pico=posting.amount_pico,
            reference=payment.public_id,
            note=None if payment.is_live else "Test mode: no money moved.",
        )
        try:
            details = await bill.customer_of(unit, user)
            made = await receipts.draft(unit, self.billing, user, details, transfer, posting)
            if made is None:
                return None
            series = self.billing.series(made.document.kind, made.document.issued_on.year)
            return (await unit.bill.add(made, series)).document
        except OperatorError as error:
            log.warning(
                "a payment has no document yet",
                extra={"payment": payment.public_id, "error": type(error).__name__},
            )
            return None

    async def _tell_state(self, unit: Unit, after: OnlinePayment) -> None:
        if after.state is PaymentState.REFUSED:
            await payment_notices.foreign_currency(unit, after)
        if after.state is PaymentState.FAILED:
            await payment_notices.failed(unit, after)

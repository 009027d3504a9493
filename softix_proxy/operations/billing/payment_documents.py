"""What follows from a payment, in its own transaction: receipts, credit notes, and messages to people.

A payment counts without its document. What is missing can be listed with the reason, and be issued later.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from softix_proxy.domain.billing.bill import Document, Payment, StoredDocument
from softix_proxy.domain.billing.seller import Billing
from softix_proxy.domain.core.errors import OperatorError
from softix_proxy.domain.ledger.payments import OnlinePayment, PaymentPosting, PaymentState, PostingCause
from softix_proxy.domain.ports.storage import Storage, Unit
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
            if _has_document(posting):
                document = await self.issue(unit, after, posting)
                number = document.number if document else ""
                await payment_notices.posted(unit, after, posting, number)
        if before.state is not after.state:
            await self._tell_state(unit, after)
        known = await unit.payments.auto_top_ups.get(after.user_id)
        if known is not None and known.paused_at_us == after.changed_at_us:  # it was paused in this transaction
            await payment_notices.paused(unit, after, known)

    async def issue(self, unit: Unit, payment: OnlinePayment, posting: PaymentPosting) -> Document | None:
        """Issues the document. A payment counts without it: the billing run issues it, or says what is missing."""
        try:
            made = await _draft(unit, self.billing, payment, posting)
            if made is None:
                return None
            series = self.billing.series(made.document.kind, made.document.issued_on.year)
            return (await unit.bill.add(made, series)).document
        except OperatorError as error:
            log.warning(
                "a payment has no document yet; softix doctor says why",
                extra={"payment": payment.public_id, "error": type(error).__name__},
            )
            return None

    async def _tell_state(self, unit: Unit, after: OnlinePayment) -> None:
        if after.state is PaymentState.REFUSED:
            await payment_notices.foreign_currency(unit, after)
        if after.state is PaymentState.FAILED:
            await payment_notices.failed(unit, after)


_MOST = 200
"""How many payments without a document are looked at, at once."""


@dataclass(frozen=True, slots=True)
class MissingDocument:
    """A payment of which something has no document yet."""

    payment: OnlinePayment
    posted_us: int
    """When the money came or went that has none."""
    problem: OperatorError | None
    """Why it cannot be issued. None if it can be, with the next billing run."""


async def missing(storage: Storage, billing: Billing, user_id: int | None = None) -> Sequence[MissingDocument]:
    """Returns what has no document yet, the oldest first, and at most 200 payments.

    It returns nothing if no seller is named, because then nothing is issued.
    """
    if not billing.seller_name:
        return []
    unit, found = storage.reading(), []
    for payment in await unit.payments.undocumented(user_id, _MOST):
        for posting in (await _undocumented(unit, payment))[:1]:  # none, if another process has just issued it
            problem = None
            try:
                made = await _draft(unit, billing, payment, posting)
            except OperatorError as error:
                made, problem = None, error
            if made is not None or problem is not None:
                found.append(MissingDocument(payment, posting.transfer_id, problem))
    return found


async def issue_missing(storage: Storage, billing: Billing, user_id: int) -> Sequence[Document]:
    """Issues what a user's payments have no document of, as far as nothing is missing that it needs to say."""
    documents, issued = PaymentDocuments(billing), []
    async with storage.writing() as unit:
        for payment in await unit.payments.undocumented(user_id, _MOST):
            for posting in await _undocumented(unit, payment):
                made = await documents.issue(unit, payment, posting)
                if made is not None:
                    issued.append(made)
    return issued


def _has_document(posting: PaymentPosting) -> bool:
    """Returns whether a posting has a document and a message. A hold has none, nor has a posting that only rounds."""
    return posting.cause is not PostingCause.HOLD and not posting.is_rounding


async def _undocumented(unit: Unit, payment: OnlinePayment) -> Sequence[PaymentPosting]:
    """Returns the postings of a payment that have no document, the oldest first."""
    posted = [one for one in await unit.payments.posted(payment.id) if _has_document(one)]
    done = await unit.bill.receipted([one.transfer_id for one in posted])
    return [one for one in posted if one.transfer_id not in done]


async def _draft(
    unit: Unit, billing: Billing, payment: OnlinePayment, posting: PaymentPosting
) -> StoredDocument | None:
    """Returns the document without its number. Raises as `receipts.draft`."""
    user = await unit.users.get(payment.user_id)
    transfer = Payment(
        id=posting.transfer_id,
        user_id=user.id,
        kind="top-up",
        amount_pico=posting.amount_pico,
        reference=payment.public_id,
        note=None if payment.is_live else "Test mode: no money moved.",
    )
    return await receipts.draft(unit, billing, user, await bill.customer_of(unit, user), transfer, posting)

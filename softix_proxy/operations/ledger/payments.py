"""Brings payments in line with the payment provider: an event is a hint, and only what is fetched counts.

1. The fetch gets its number in a transaction of its own, before it starts.
2. The payment is fetched with its refunds and disputes.
3. One transaction posts the difference between what the payment should have given and what it gave.

So the order of events, their number and their loss do not matter, and a process may die at any point.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from softix_proxy.domain.billing.seller import Billing
from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.core.errors import ConflictError, NotFoundError
from softix_proxy.domain.ledger.ledger import ADJUSTMENTS, CASH, Transfer, TransferKind
from softix_proxy.domain.ledger.payments import (
    DueCredit,
    FetchedPayment,
    OnlinePayment,
    PaymentKind,
    PaymentPosting,
    PaymentState,
    PostingCause,
    after_fetch,
    due_credit,
)
from softix_proxy.domain.ledger.payments_section import PaymentsSection
from softix_proxy.domain.ledger.refunds import RefundState
from softix_proxy.domain.ports.payment_gateway import EventHint, GatewayError, PaymentGateway
from softix_proxy.domain.ports.storage import Storage, Unit

_FETCHES_AT_MOST = 6
"""How often a payment is fetched again because it changed meanwhile, before the event has to come again."""
_UNKNOWN_AFTER_US = DAY_US
"""The provider keeps idempotency keys for at least 24 hours, and a page for a payment is open as long by default
(https://docs.stripe.com/api/idempotent_requests). Later, a payment that it does not know will never exist."""
_BOOKED: Mapping[PostingCause, tuple[int, TransferKind]] = {
    PostingCause.PAYMENT: (CASH, "top-up"),
    PostingCause.REFUND: (CASH, "top-up"),
    PostingCause.DISPUTE: (CASH, "top-up"),
    PostingCause.HOLD: (ADJUSTMENTS, "adjustment"),
}
"""Cause → the operator's account, and the kind of the transfer. Cash moves only with real money."""


class PaymentFollowUp(Protocol):
    """What else happens in the transaction that changes a payment: documents and messages."""

    async def __call__(
        self, unit: Unit, before: OnlinePayment, after: OnlinePayment, postings: Sequence[PaymentPosting]
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class PaymentContext:
    """What the operations on payments need."""

    storage: Storage
    gateway: PaymentGateway
    section: PaymentsSection
    billing: Billing
    follow_up: PaymentFollowUp
    public_url: str = ""


async def handle_event(context: PaymentContext, hint: EventHint) -> OnlinePayment | None:
    """Handles an event, whatever it says. Returns the payment that it was about, or None if that is not ours.

    When it returns, everything is committed. Raises GatewayError if the provider did not answer, so that the event has
    to come again, and UnusableError if the database did not take it.
    """
    reading = context.storage.reading()
    if hint.is_live is not context.gateway.is_live or await reading.payments.is_seen(hint.id):
        return None
    payment = await _owner(context, reading, hint)
    if payment is None:
        async with context.storage.writing() as unit:
            await unit.payments.see(hint.id, None, unit.clock.now_us())
        return None
    return await reconcile(context, payment.id, event_id=hint.id)


async def _owner(context: PaymentContext, reading: Unit, hint: EventHint) -> OnlinePayment | None:
    """Finds the payment. A name in the event counts only if the provider itself has it on the payment."""
    found: OnlinePayment | None = None
    if hint.session_id is not None:
        found = await reading.payments.by_session(hint.session_id)
    if found is None and hint.intent_id is not None:
        found = await reading.payments.by_intent(hint.intent_id)
    if found is None and (hint.session_id or hint.intent_id):
        named = await context.gateway.owner(hint)
        found = await reading.payments.find(named) if named else None
    return found if found is not None and found.is_live is context.gateway.is_live else None


async def reconcile(context: PaymentContext, payment_id: int, *, event_id: str | None = None) -> OnlinePayment:
    """Fetches the payment and posts the difference. Raises as `handle_event`."""
    for _ in range(_FETCHES_AT_MOST):
        fetch = await begin_fetch(context, payment_id)
        async with context.storage.writing() as unit:
            payment = await take_over(context, unit, fetch)
            if payment is not None:
                if event_id is not None:
                    await unit.payments.see(event_id, payment_id, unit.clock.now_us())
                return payment
    raise GatewayError("the payment changes faster than it can be fetched", "softix payments sweep")


@dataclass(frozen=True, slots=True)
class PaymentFetch:
    """What a numbered fetch found."""

    payment_id: int
    number: int
    changed_before: int
    """The number of the fetch that had changed the payment last, when this one got its number."""
    found: FetchedPayment


async def begin_fetch(context: PaymentContext, payment_id: int) -> PaymentFetch:
    """Numbers a fetch, and fetches. Raises GatewayError."""
    async with context.storage.writing() as unit:
        number = await unit.payments.number_fetch(payment_id)
        payment = await unit.payments.get(payment_id)
        customer_id = await unit.payments.customer(payment.user_id, payment.is_live)
    if payment.is_live is not context.gateway.is_live:
        raise ConflictError(
            f"{payment.public_id} is a payment {'in live' if payment.is_live else 'in test'} mode, and the key is not",
            "store the key of that mode: softix payments setup",
        )
    found = await context.gateway.fetch(payment, customer_id)
    return PaymentFetch(payment_id, number, payment.changed_fetch, found)


async def take_over(context: PaymentContext, unit: Unit, fetch: PaymentFetch) -> OnlinePayment | None:
    """Posts what the fetch found, in the caller's transaction. Returns the payment as it is then.

    A fetch that is older than the last one taken over is dropped: the newer one began after whatever this one was for.
    Returns None if the payment was changed since this fetch got its number: it may have seen an earlier state, so it
    has to be repeated.
    """
    payment = await unit.payments.get(fetch.payment_id)
    if fetch.number < payment.posted_fetch:
        return payment
    if payment.changed_fetch not in (fetch.changed_before, fetch.number):
        return None
    now_us = unit.clock.now_us()
    found = _or_expired(payment, fetch.found, now_us)
    await _note_refunds(unit, payment, found, now_us)
    due = due_credit(payment, found, await unit.payments.refunds.of_payment(payment.id))
    after = after_fetch(payment, fetch.number, found, due, now_us)
    postings = await _post(unit, payment, due, fetch.number)
    await unit.payments.update(after)
    await _note_attempt(unit, payment, after, now_us)
    await _pause_if_money_went_back(unit, payment, postings, now_us)
    if after.changed_fetch != payment.changed_fetch:
        await context.follow_up(unit, payment, after, postings)
    return after


def _or_expired(payment: OnlinePayment, found: FetchedPayment, now_us: int) -> FetchedPayment:
    """Ends a payment that the provider does not know and never will. One that ended before stays as it is.

    To the provider a payment that never arrived looks open, also if the charge was given up since.
    """
    is_known = bool(found.session_id or found.intent_id or payment.session_id or payment.intent_id)
    if found.state is not PaymentState.OPEN or is_known:
        return found
    if not payment.state.is_unfinished:
        return replace(found, state=payment.state, failure=payment.failure)
    expired = payment.created_at_us + _UNKNOWN_AFTER_US < now_us
    return replace(found, state=PaymentState.EXPIRED) if expired else found


async def _note_refunds(unit: Unit, payment: OnlinePayment, found: FetchedPayment, now_us: int) -> None:
    """Notes what became of the requests for refunds that the provider has."""
    known = {refund.request: refund for refund in found.refunds if refund.request}
    for request in await unit.payments.refunds.of_payment(payment.id):
        refund = known.get(request.public_id)
        if refund is None:
            continue
        state = RefundState.REFUNDED if refund.is_final else RefundState.APPROVED
        state = RefundState.FAILED if refund.is_void else state
        noted = replace(request, state=state, refund_id=refund.id, answered_at_us=request.answered_at_us or now_us)
        if noted != request:
            await unit.payments.refunds.update(noted)


async def _post(unit: Unit, payment: OnlinePayment, due: DueCredit, number: int) -> Sequence[PaymentPosting]:
    """Posts one transfer for each cause whose amount changed."""
    earlier = await unit.payments.posted(payment.id)
    gross = {
        PostingCause.PAYMENT: due.paid_cents,
        PostingCause.REFUND: -due.refunded_cents,
        PostingCause.DISPUTE: -due.disputed_cents,
        PostingCause.HOLD: -due.held_cents,
    }
    made = []
    for cause, due_pico in due.pico.items():
        before = [posting for posting in earlier if posting.cause is cause]
        amount_pico = due_pico - sum(posting.amount_pico for posting in before)
        if not amount_pico:
            continue
        wallet, into = payment.user_id, amount_pico > 0
        other, kind = _BOOKED[cause]
        transfer = await unit.ledger.post(
            Transfer(
                id=0,
                from_account=other if into else wallet,
                to_account=wallet if into else other,
                amount_pico=abs(amount_pico),
                kind=kind,
                reference=f"{payment.public_id}:{cause.value}:{len(before) + 1}",
                note=_note(cause, into=into) + ("" if payment.is_live else " (test mode)"),
            )
        )
        cents = gross[cause] - sum(posting.gross_cents for posting in before)
        posting = PaymentPosting(transfer.id, payment.id, cause, amount_pico, cents, number)
        await unit.payments.record(posting)
        made.append(posting)
    return made


def _note(cause: PostingCause, *, into: bool) -> str:
    """Returns the words for the books. A payment's own transfer goes out only if the provider takes it all back."""
    return {
        (PostingCause.PAYMENT, True): "payment by card",
        (PostingCause.PAYMENT, False): "payment withdrawn",
        (PostingCause.REFUND, False): "refund",
        (PostingCause.REFUND, True): "refund that was not made",
        (PostingCause.DISPUTE, False): "dispute",
        (PostingCause.DISPUTE, True): "dispute won",
        (PostingCause.HOLD, False): "held for a refund",
        (PostingCause.HOLD, True): "no longer held for a refund",
    }[cause, into]


async def _note_attempt(unit: Unit, before: OnlinePayment, after: OnlinePayment, now_us: int) -> None:
    """Lets automatic top-ups wait after a failure, and go on after a success."""
    if after.kind is not PaymentKind.AUTOMATIC or before.state is after.state:
        return
    known = await unit.payments.auto_top_ups.get(after.user_id)
    if known is None:
        return
    if after.state in (PaymentState.FAILED, PaymentState.REFUSED):
        await unit.payments.auto_top_ups.set(known.after_failure(now_us))
    elif after.state is PaymentState.PAID:
        await unit.payments.auto_top_ups.set(known.after_success())


async def _pause_if_money_went_back(
    unit: Unit, payment: OnlinePayment, postings: Sequence[PaymentPosting], now_us: int
) -> None:
    """Pauses automatic top-ups, so that no card is charged because the same money left the balance."""
    if not any(one.gross_cents < 0 and one.cause is not PostingCause.PAYMENT for one in postings):
        return
    known = await unit.payments.auto_top_ups.get(payment.user_id)
    if known is not None and known.is_active:
        await unit.payments.auto_top_ups.set(known.after_money_back(now_us))


async def find(unit: Unit, public_id: str) -> OnlinePayment:
    """Returns the payment. Raises NotFoundError."""
    found = await unit.payments.find(public_id)
    if found is None:
        raise NotFoundError(f"no payment {public_id!r}", "see: softix payments list")
    return found


async def show_number(storage: Storage, payment_id: int) -> OnlinePayment:
    return await storage.reading().payments.get(payment_id)


async def of_user(unit: Unit, public_id: str, user_id: int) -> OnlinePayment:
    """Returns the payment of this user. Raises NotFoundError, also for the payment of another one."""
    found = await find(unit, public_id)
    if found.user_id != user_id:
        raise NotFoundError(f"no payment {public_id!r}", "see: softix payments list")
    return found


async def show_of_user(storage: Storage, public_id: str, user_id: int) -> OnlinePayment:
    return await of_user(storage.reading(), public_id, user_id)


async def list_all(storage: Storage, user_id: int | None, limit: int) -> Sequence[OnlinePayment]:
    """Returns payments, the newest first."""
    return await storage.reading().payments.list(user_id, limit)


class PaymentService(Protocol):
    """What pages and jobs are given: it opens the payment provider at the first use."""

    async def context(self) -> PaymentContext:
        """Raises FailureError if there is no key."""
        ...

    async def is_live(self) -> bool:
        """Returns the mode of the key, and opens nothing. Raises FailureError if there is no key."""
        ...

    async def read_event(self, body: bytes, signature: str | None) -> EventHint:
        """Checks a message to the webhook. Raises WebhookRefusedError."""
        ...

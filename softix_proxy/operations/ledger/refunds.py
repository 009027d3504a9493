"""Refunds: of unused money only, and held from the request on."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from softix_proxy.domain.core.errors import BadInputError, ConflictError, NotFoundError
from softix_proxy.domain.core.ids import new_public_id
from softix_proxy.domain.core.money import format_cents
from softix_proxy.domain.ledger.payments import (
    OnlinePayment,
    PaymentState,
    gross_cents,
    refundable_net_cents,
)
from softix_proxy.domain.ledger.refunds import RefundRequest, RefundState
from softix_proxy.domain.ports.payment_gateway import DeclinedError, GatewayError
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.operations.ledger import payments
from softix_proxy.operations.ledger.payments import PaymentContext, PaymentFetch

log = logging.getLogger("softix.payments")
_ATTEMPTS = 4


@dataclass(frozen=True, slots=True)
class Refundable:
    """What can go back of a payment now."""

    net_cents: int
    """The credit, without tax."""
    gross_cents: int
    """What the customer gets, with the tax."""


async def refundable(unit: Unit, payment: OnlinePayment) -> Refundable:
    """Returns what can go back: what the payment still gives, and nobody used.

    Money that was granted, and nobody paid, counts as used last. Otherwise it could be paid out.
    """
    wallet = await unit.balance.get(payment.user_id)
    granted_pico = max(0, await unit.payments.adjusted_pico(payment.user_id))
    unused_pico = wallet.posted_pico - wallet.held_pico - granted_pico
    net_cents = refundable_net_cents(payment.credit_pico, unused_pico)
    return Refundable(net_cents, gross_cents(payment, net_cents))


async def offer(storage: Storage, public_id: str, user_id: int) -> tuple[OnlinePayment, Refundable]:
    """Returns the payment of this user, and what can go back of it. Raises NotFoundError."""
    async with storage.snapshot() as unit:
        found = await payments.of_user(unit, public_id, user_id)
        return found, await refundable(unit, found)


async def request(
    context: PaymentContext,
    public_id: str,
    *,
    net_cents: int | None = None,
    account_id: int | None = None,
    user_id: int | None = None,
    approved: bool = False,
) -> RefundRequest:
    """Holds the money of a refund, all that is unused if no amount is given. `approved` is an operator's own refund.

    Raises NotFoundError for a payment that does not exist, or is not of `user_id`. Raises BadInputError if less than
    the amount is unused. Raises ConflictError if nothing can go back, and GatewayError.
    """
    if net_cents is not None and net_cents <= 0:
        raise BadInputError("a refund is of a positive amount", "leave the amount out for all that is unused")
    reading = context.storage.reading()
    if user_id is None:
        payment = await payments.find(reading, public_id)
    else:
        payment = await payments.of_user(reading, public_id, user_id)
    for _ in range(_ATTEMPTS):
        fetch = await payments.begin_fetch(context, payment.id)
        async with context.storage.writing() as unit:
            current = await payments.take_over(context, unit, fetch)
            if current is None or current.posted_fetch != fetch.number:
                continue  # somebody else changed it meanwhile
            amount_cents = await _amount(unit, current, net_cents)
            made = await unit.payments.refunds.add(
                RefundRequest(
                    id=0,
                    public_id=new_public_id("rfd"),
                    payment_id=current.id,
                    amount_cents=amount_cents,
                    state=RefundState.APPROVED if approved else RefundState.REQUESTED,
                    created_at_us=unit.clock.now_us(),
                    account_id=account_id,
                    answered_at_us=unit.clock.now_us() if approved else None,
                )
            )
            await payments.take_over(context, unit, fetch)
        return await send(context, made) if approved else made
    raise GatewayError("the payment changes faster than it can be fetched", "try again")


async def _amount(unit: Unit, payment: OnlinePayment, net_cents: int | None) -> int:
    """Returns what the customer gets. Raises BadInputError and ConflictError."""
    if payment.state is not PaymentState.PAID:
        raise ConflictError(f"{payment.public_id} is {payment.state.value}", "only what was paid can go back")
    most = await refundable(unit, payment)
    if most.net_cents <= 0 or most.gross_cents <= 0:
        raise ConflictError(f"nothing of {payment.public_id} is unused", "see: softix payments show")
    if net_cents is None:
        return most.gross_cents
    if net_cents > most.net_cents:
        raise BadInputError(
            f"at most ${format_cents(most.net_cents)} of this payment can go back",
            f"ask for ${format_cents(most.net_cents)} or less: the rest of {payment.public_id} was used, or went back",
        )
    amount_cents = gross_cents(payment, net_cents)
    if amount_cents <= 0:
        raise BadInputError("the amount is too small to go back", "ask for more")
    return amount_cents


async def approve(context: PaymentContext, public_id: str) -> RefundRequest:
    """Sends a requested refund. Raises NotFoundError, ConflictError and GatewayError.

    After a GatewayError the request stays approved and held, and the sweep sends it again.
    """
    async with context.storage.writing() as unit:
        known = await find(unit, public_id)
        if not known.is_open:
            raise ConflictError(f"{public_id} is {known.state.value}", "see: softix payments refunds")
        approved = replace(known, state=RefundState.APPROVED, answered_at_us=unit.clock.now_us())
        await unit.payments.refunds.update(approved)
    return await send(context, approved)


async def send(context: PaymentContext, approved: RefundRequest) -> RefundRequest:
    """Asks the provider for an approved refund, unless it has it, and takes its answer over.

    The provider forgets idempotency keys after a day, so it is first asked what it has. If it refuses for good, for
    example because the money went back already, the request has failed and holds nothing any more.
    """
    fetch = await payments.begin_fetch(context, approved.payment_id)
    if all(refund.request != approved.public_id for refund in fetch.found.refunds):
        payment = await context.storage.reading().payments.get(approved.payment_id)
        try:
            await context.gateway.refund(payment, approved.public_id, approved.amount_cents)
        except DeclinedError:
            return await _end(context, approved.public_id, RefundState.APPROVED, RefundState.FAILED)
    await payments.reconcile(context, approved.payment_id)
    return await find(context.storage.reading(), approved.public_id)


async def refuse(context: PaymentContext, public_id: str) -> RefundRequest:
    """Refuses a requested refund. Its money is in the balance again, in the same transaction.

    Raises NotFoundError and GatewayError. Raises ConflictError if it was answered before.
    """
    return await _end(context, public_id, RefundState.REQUESTED, RefundState.REFUSED)


async def _end(context: PaymentContext, public_id: str, only: RefundState, ended: RefundState) -> RefundRequest:
    """Ends a request without a refund, and gives its money back. Raises ConflictError for one in another state."""
    known = await find(context.storage.reading(), public_id)
    for _ in range(_ATTEMPTS):
        fetch: PaymentFetch = await payments.begin_fetch(context, known.payment_id)
        async with context.storage.writing() as unit:
            current = await payments.take_over(context, unit, fetch)
            if current is None or current.posted_fetch != fetch.number:
                continue
            known = await find(unit, public_id)
            if known.state is not only:
                raise ConflictError(f"{public_id} is {known.state.value}", "see: softix payments refunds")
            over = replace(known, state=ended, answered_at_us=known.answered_at_us or unit.clock.now_us())
            await unit.payments.refunds.update(over)
            await payments.take_over(context, unit, fetch)
        return over
    raise GatewayError("the payment changes faster than it can be fetched", "try again")


async def send_approved(context: PaymentContext) -> int:
    """Sends the approved refunds that the provider does not have, after an interruption. Returns how many ended."""
    ended = 0
    for approved in await context.storage.reading().payments.refunds.list(RefundState.APPROVED, None):
        payment = await context.storage.reading().payments.get(approved.payment_id)
        if payment.is_live is not context.gateway.is_live:
            continue
        try:
            ended += not (await send(context, approved)).is_open
        except GatewayError as error:  # the others need not wait for this one
            log.warning("could not send a refund", extra={"payment": payment.public_id, "error": type(error).__name__})
    return ended


async def find(unit: Unit, public_id: str) -> RefundRequest:
    """Returns the request. Raises NotFoundError."""
    found = await unit.payments.refunds.find(public_id)
    if found is None:
        raise NotFoundError(f"no refund {public_id!r}", "see: softix payments refunds")
    return found


async def show(storage: Storage, public_id: str) -> RefundRequest:
    return await find(storage.reading(), public_id)


async def list_all(storage: Storage, state: RefundState | None, user_id: int | None) -> Sequence[RefundRequest]:
    """Returns requests, the oldest first."""
    return await storage.reading().payments.refunds.list(state, user_id)

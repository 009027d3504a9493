"""Automatic top-ups: charges the saved method of those whose balance is low, once at a time."""

from __future__ import annotations

import logging
from dataclasses import replace

from softix_proxy.domain.access.users import UserStatus
from softix_proxy.domain.accounts.accounts import Account
from softix_proxy.domain.core.calendar import calendar
from softix_proxy.domain.core.clock import DAY_US, SECOND_US
from softix_proxy.domain.core.errors import BadInputError, ConflictError, OperatorError
from softix_proxy.domain.core.money import PICO_PER_CENT, format_cents, parse_usd
from softix_proxy.domain.ledger.auto_top_ups import AutoTopUp
from softix_proxy.domain.ledger.payments import (
    FetchedPayment,
    OnlinePayment,
    PaymentKind,
    PaymentState,
)
from softix_proxy.domain.ledger.payments_section import PaymentsSection, parse_cents
from softix_proxy.domain.ports.payment_gateway import DeclinedError
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.operations.access import users
from softix_proxy.operations.ledger import checkouts, payments
from softix_proxy.operations.ledger.payments import PaymentContext, PaymentFetch

log = logging.getLogger("softix.payments")
_RETRY_FOR_US = 23 * 3600 * SECOND_US
"""How long the same idempotency key is sure to mean the same charge: the provider keeps it for at least 24 hours."""


async def show(storage: Storage, user_id: int) -> AutoTopUp | None:
    return await storage.reading().payments.auto_top_ups.get(user_id)


async def set_up(
    context: PaymentContext,
    user_id: int,
    *,
    account: Account | None,
    threshold_cents: int,
    amount_cents: int,
    monthly_cap_cents: int,
) -> AutoTopUp:
    """Switches it on, or changes it. A pause ends, and a wait after a failure does not.

    `account` is the person who does it: after failures it counts as the beginning of a payment. None is an operator.
    Raises BadInputError and ConflictError.
    """
    section = context.section
    if not section.enabled or not section.automatic:
        raise ConflictError("automatic top-ups are switched off", "set payments.enabled and payments.automatic")
    if section.tax == "stripe":
        raise ConflictError(
            "Stripe Tax works on a page that a person fills in, and not for automatic top-ups",
            'set payments.tax to "softix" or "none"',
        )
    least_cents, most_cents = parse_cents(section.least), parse_cents(section.most)
    if not least_cents <= amount_cents <= most_cents:
        raise BadInputError(
            f"an automatic top-up is from ${format_cents(least_cents)} to ${format_cents(most_cents)}",
            "choose another amount",
        )
    if not amount_cents <= monthly_cap_cents <= parse_cents(section.automatic_month):
        raise BadInputError(
            f"the monthly limit is from ${format_cents(amount_cents)} to ${section.automatic_month}",
            "choose another limit",
        )
    if not 0 <= threshold_cents <= most_cents:
        raise BadInputError(f"the threshold is from $0.00 to ${format_cents(most_cents)}", "choose another threshold")
    async with context.storage.writing() as unit:
        known = await unit.payments.auto_top_ups.get(user_id)
        made = AutoTopUp(user_id, True, threshold_cents, amount_cents, monthly_cap_cents)
        if known is not None:
            if known.failures and account is not None:
                await checkouts.count_attempt(context, unit, account)
            kept = known.restarted(unit.clock.now_us())
            made = replace(made, failures=kept.failures, next_at_us=kept.next_at_us)
        await unit.payments.auto_top_ups.set(made)
        return made


async def switch_off(storage: Storage, user_id: int) -> AutoTopUp | None:
    """Switches it off, and keeps what happened before. A payment that has begun still ends, unless it was paused."""
    async with storage.writing() as unit:
        known = await unit.payments.auto_top_ups.get(user_id)
        if known is None:
            return None
        off = replace(known, enabled=False)
        await unit.payments.auto_top_ups.set(off)
        return off


async def run(context: PaymentContext) -> int:
    """Finishes what was begun, and charges for each balance that is below its threshold. Returns how many were paid.

    One customer's trouble does not keep others waiting.
    """
    paid = 0
    reading = context.storage.reading()
    for payment in await reading.payments.unfinished():
        if payment.kind is PaymentKind.AUTOMATIC and payment.is_live is context.gateway.is_live:
            paid += await _quietly(context, payment)
    if not _is_offered(context.section):
        return paid
    for due in await reading.payments.auto_top_ups.due(reading.clock.now_us()):
        begun = await _begin_quietly(context, due.user_id)
        if begun is not None:
            paid += await _quietly(context, begun)
    return paid


def _is_offered(section: PaymentsSection) -> bool:
    """Stripe Tax needs a page that a person fills in, so that a charge without one would be without tax."""
    return section.enabled and section.automatic and section.tax != "stripe"


async def _quietly(context: PaymentContext, payment: OnlinePayment) -> bool:
    try:
        return (await finish(context, payment)).state is PaymentState.PAID
    except OperatorError as error:
        log.warning(
            "could not finish an automatic top-up",
            extra={"payment": payment.public_id, "error": type(error).__name__},
        )
        return False


async def _begin_quietly(context: PaymentContext, user_id: int) -> OnlinePayment | None:
    try:
        return await begin(context, user_id)
    except OperatorError as error:
        user = await context.storage.reading().users.get(user_id)
        log.warning(
            "could not begin an automatic top-up", extra={"user": user.public_id, "error": type(error).__name__}
        )
        return None


async def begin(context: PaymentContext, user_id: int) -> OnlinePayment | None:
    """Adds the row of an automatic payment, if one is due. Two processes at once add one.

    Returns None if the customer is disabled or pays invoices, the balance has money again, the month's limit is
    reached, or a payment is not finished.
    """
    async with context.storage.writing() as unit:
        due = await unit.payments.auto_top_ups.get(user_id)
        user = await unit.users.get(user_id)
        now_us = unit.clock.now_us()
        if due is None or not due.is_active or due.next_at_us > now_us:
            return None
        if user.postpaid or user.status is not UserStatus.ACTIVE:
            return None
        wallet = await unit.balance.get(user_id)
        if wallet.posted_pico - wallet.held_pico >= due.threshold_cents * PICO_PER_CENT:
            return None
        charged_cents = await unit.payments.automatic_cents(user_id, _month_us(context, now_us))
        cap_cents = min(due.monthly_cap_cents, parse_cents(context.section.automatic_month))
        amount_cents = replace(due, monthly_cap_cents=cap_cents).amount_within_cap(charged_cents)
        if not amount_cents or not await _has_customer(context, unit, user_id):
            return None
        await _end_of_the_other_mode(context, unit, user_id, now_us)
        try:
            return await unit.payments.add(
                await checkouts.draft(context, unit, user, PaymentKind.AUTOMATIC, amount_cents)
            )
        except ConflictError:
            return None


async def _end_of_the_other_mode(context: PaymentContext, unit: Unit, user_id: int, now_us: int) -> None:
    """Ends an automatic payment of the other mode after a day. No key here can finish it, and there is one at a time.

    If it was paid after all, its events, or a sweep of everything, credit it as soon as there is a key of its mode.
    """
    for one in await unit.payments.unfinished():
        is_other = one.user_id == user_id and one.is_live is not context.gateway.is_live
        if is_other and one.kind is PaymentKind.AUTOMATIC and one.created_at_us + DAY_US <= now_us:
            await unit.payments.update(replace(one, state=PaymentState.EXPIRED, changed_at_us=now_us))


async def _has_customer(context: PaymentContext, unit: Unit, user_id: int) -> bool:
    """A user who never paid has no saved method either."""
    return await unit.payments.customer(user_id, context.gateway.is_live) is not None


def _month_us(context: PaymentContext, now_us: int) -> int:
    """Returns when the calendar month began, in the time zone of the billing."""
    return calendar(context.billing.zone).at(now_us).month_us


async def finish(context: PaymentContext, payment: OnlinePayment) -> OnlinePayment:
    """Charges the saved method, unless the provider knows the payment already, and takes over what became of it.

    A retry has the same idempotency key, so there is one charge. While automatic top-ups of the user are paused, it
    charges nothing. Raises GatewayError.
    """
    known = await payments.reconcile(context, payment.id)
    reading = context.storage.reading()
    young = known.created_at_us + _RETRY_FOR_US > reading.clock.now_us()
    if known.state is PaymentState.OPEN and known.intent_id is None and young and not await _is_paused(reading, known):
        user = await reading.users.get(known.user_id)
        try:
            await context.gateway.charge(await checkouts.order_for(context, known, user))
        except DeclinedError as error:
            log.info("an automatic top-up was declined", extra={"payment": known.public_id})
            declined = await payments.reconcile(context, known.id)
            return await _give_up(context, declined, error.code) if declined.state is PaymentState.OPEN else declined
        return await payments.reconcile(context, known.id)
    return known


async def _is_paused(unit: Unit, payment: OnlinePayment) -> bool:
    """Money may have gone back since the payment was begun. Nobody is charged after that."""
    known = await unit.payments.auto_top_ups.get(payment.user_id)
    return known is not None and known.paused_at_us is not None


async def _give_up(context: PaymentContext, payment: OnlinePayment, code: str) -> OnlinePayment:
    """Ends a payment that the provider refused without keeping it, for example because there is no saved method."""
    async with context.storage.writing() as unit:
        known = await unit.payments.get(payment.id)
        if known.state is not PaymentState.OPEN or known.intent_id is not None:
            return known
        number = await unit.payments.number_fetch(known.id)
        failed = FetchedPayment(state=PaymentState.FAILED, failure=code)
        after = await payments.take_over(context, unit, PaymentFetch(known.id, number, known.changed_fetch, failed))
        return after or known


async def set_by_operator(
    context: PaymentContext, reference: str, *, threshold: str, amount: str, monthly: str
) -> AutoTopUp:
    """Switches it on for a user, with amounts as text. Raises NotFoundError, BadInputError and ConflictError."""
    user = await users.find_payer(context.storage.reading(), reference)
    threshold_cents, rest = divmod(parse_usd(threshold), PICO_PER_CENT)
    if rest:
        raise BadInputError("the threshold is in whole cents", "write 5.00")
    return await set_up(
        context,
        user.id,
        account=None,
        threshold_cents=threshold_cents,
        amount_cents=parse_cents(amount),
        monthly_cap_cents=parse_cents(monthly),
    )

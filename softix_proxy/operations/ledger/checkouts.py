"""Begins a payment: the row first, then the customer, then the provider's page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from typing import TypeVar

from softix_proxy.domain.access.users import User, UserStatus
from softix_proxy.domain.accounts.accounts import Account
from softix_proxy.domain.accounts.throttles import ThrottleRule
from softix_proxy.domain.billing.invoicing import tax_on
from softix_proxy.domain.billing.taxes import Category
from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.domain.core.errors import BadInputError, ConflictError
from softix_proxy.domain.core.ids import new_public_id
from softix_proxy.domain.core.money import format_cents
from softix_proxy.domain.ledger.payments import OnlinePayment, PaymentKind, PaymentState
from softix_proxy.domain.ledger.payments_section import parse_cents
from softix_proxy.domain.ports.payment_gateway import CustomerGoneError, PaymentOrder
from softix_proxy.domain.ports.storage import Unit
from softix_proxy.operations.core.shown_names import name_of
from softix_proxy.operations.ledger.payments import PaymentContext

_Made = TypeVar("_Made")


async def begin(
    context: PaymentContext, user: User, account: Account, amount_cents: int, *, saves_method: bool = False
) -> str:
    """Begins a top-up of this credit, without tax. Returns the address of the provider's page for it.

    Raises BadInputError for an amount outside the limits. Raises ConflictError for somebody who cannot pay now.
    Raises GatewayError.
    """
    section = context.section
    least_cents, most_cents = parse_cents(section.least), parse_cents(section.most)
    if not least_cents <= amount_cents <= most_cents:
        raise BadInputError(
            f"a top-up is from ${format_cents(least_cents)} to ${format_cents(most_cents)}", "choose another amount"
        )
    async with context.storage.writing() as unit:
        _require_payer(context, user)
        if account.verified_at_us is None:
            raise ConflictError("the address of this account is not verified", "open the link in the mail, then pay")
        await count_attempt(context, unit, account)
        payment = await unit.payments.add(
            await draft(context, unit, user, PaymentKind.CHECKOUT, amount_cents, account_id=account.id)
        )

    async def opened(customer_id: str) -> tuple[str, str]:
        order = await _order(context, payment, user, customer_id)
        back = f"{context.public_url}/billing?payment={payment.public_id}"
        return await context.gateway.open_checkout(replace(order, return_url=back, saves_method=saves_method))

    session_id, url = await _for_customer(context, user, opened)
    async with context.storage.writing() as unit:
        known = await unit.payments.get(payment.id)
        if known.session_id is None:
            await unit.payments.update(replace(known, session_id=session_id))
    return url


async def count_attempt(context: PaymentContext, unit: Unit, account: Account) -> None:
    """Counts one way to have a card charged: stolen cards are tested by any of them. Raises ConflictError."""
    per_hour = context.section.sessions_per_hour
    rule = ThrottleRule("checkout", per_hour, per_hour)
    wait_us = await unit.throttles.arrive(rule, account.public_id, unit.clock.now_us())
    if wait_us:
        raise ConflictError(
            "too many payments or changes of cards were begun",
            f"wait {-(-wait_us // (60 * SECOND_US))} minutes, then try again",
        )


def _require_payer(context: PaymentContext, user: User) -> None:
    if not context.section.enabled:
        raise ConflictError("payments are switched off", "set payments.enabled")
    if user.postpaid:
        raise ConflictError("this customer pays invoices", "there is nothing to top up")
    if user.status is not UserStatus.ACTIVE:
        raise ConflictError("this customer is disabled", "softix users enable, then pay")


async def draft(
    context: PaymentContext,
    unit: Unit,
    user: User,
    kind: PaymentKind,
    amount_cents: int,
    *,
    account_id: int | None = None,
) -> OnlinePayment:
    """Returns a payment to be added, with the tax by softix's own rates if they apply."""
    _, tax_cents = await _own_tax(context, unit, user, amount_cents)
    return OnlinePayment(
        id=0,
        public_id=new_public_id("pay"),
        user_id=user.id,
        kind=kind,
        state=PaymentState.OPEN,
        asked_cents=amount_cents,
        asked_tax_cents=tax_cents,
        is_live=context.gateway.is_live,
        created_at_us=unit.clock.now_us(),
        account_id=account_id,
    )


async def _own_tax(context: PaymentContext, unit: Unit, user: User, amount_cents: int) -> tuple[Decimal, int]:
    """Returns the rate and the amount of the tax that softix adds by its own rates."""
    if context.section.tax != "softix":
        return Decimal(0), 0
    from softix_proxy.domain.billing.bill import Customer, Party

    details = await unit.bill.customer(user.id) or Customer(user.id, Party(name=user.name, email=user.email))
    treatment = context.billing.treatment(details)
    if treatment.category is Category.OUTSIDE:
        return Decimal(0), 0
    totals, _ = tax_on(amount_cents, treatment)
    return treatment.rate, int(totals.tax.scaleb(2))


async def order_for(context: PaymentContext, payment: OnlinePayment, user: User) -> PaymentOrder:
    """Returns what the provider shall collect, for the only customer of this user. Raises GatewayError."""
    return await _order(context, payment, user, await customer_of(context, user))


async def _order(context: PaymentContext, payment: OnlinePayment, user: User, customer_id: str) -> PaymentOrder:
    rate, _ = await _own_tax(context, context.storage.reading(), user, payment.asked_cents)
    return PaymentOrder(
        payment=payment,
        customer_id=customer_id,
        description="Prepaid credit",
        tax_name=f"Tax {rate.normalize():f}%" if payment.asked_tax_cents else "",
        tax_by_provider=context.section.tax == "stripe",
        tax_code=context.section.tax_code,
    )


async def customer_of(context: PaymentContext, user: User) -> str:
    """Returns the provider's customer of a user. The row is claimed first, so that there is never a second one."""
    live = context.gateway.is_live
    async with context.storage.writing() as unit:
        claim, customer_id = await unit.payments.claim_customer(
            user.id, live, new_public_id("cus"), unit.clock.now_us()
        )
        details = await unit.bill.customer(user.id)
        name = details.party.name if details else await name_of(unit, user.id)
    if customer_id is not None:
        return customer_id
    made = await context.gateway.make_customer(
        claim, name, (details.party.email if details else "") or user.email, user.public_id
    )
    async with context.storage.writing() as unit:
        return await unit.payments.set_customer(user.id, live, made)


async def _for_customer(context: PaymentContext, user: User, act: Callable[[str], Awaitable[_Made]]) -> _Made:
    """Does something for the provider's customer of a user, and once more for a new one if that one is gone."""
    customer_id = await customer_of(context, user)
    try:
        return await act(customer_id)
    except CustomerGoneError:
        async with context.storage.writing() as unit:
            await unit.payments.forget_customer(user.id, context.gateway.is_live, customer_id)
        return await act(await customer_of(context, user))


async def methods_url(context: PaymentContext, user: User, account: Account) -> str:
    """Returns the address of the provider's page of the cards of a user. Raises ConflictError and GatewayError."""
    async with context.storage.writing() as unit:
        await count_attempt(context, unit, account)
    back = f"{context.public_url}/billing"
    return await _for_customer(context, user, lambda customer_id: context.gateway.portal_url(customer_id, back))

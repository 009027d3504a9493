"""The documents of payments: a receipt for each, and a credit note for what goes back.

A payment by Stripe gets its document at once, in the transaction that posts it. Any other gets it from the billing run,
and so does a payment whose document could not be issued, because something about the seller or the buyer was missing.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from softix_proxy.domain.access.users import User
from softix_proxy.domain.billing import invoicing
from softix_proxy.domain.billing.bill import (
    Customer,
    Document,
    DocumentKind,
    DocumentReference,
    DocumentTax,
    DocumentTotals,
    Payment,
    StoredDocument,
)
from softix_proxy.domain.billing.invoicing import CENT_PICO, cents
from softix_proxy.domain.billing.seller import Billing, require_buyer
from softix_proxy.domain.billing.taxes import Category, Treatment
from softix_proxy.domain.core.calendar import calendar
from softix_proxy.domain.core.money import CURRENCY, divide_half_even
from softix_proxy.domain.ledger.payments import PaymentPosting, PostingCause
from softix_proxy.domain.ports.storage import Unit

_RATE_DECIMALS = 4


async def draft(
    unit: Unit,
    billing: Billing,
    user: User,
    details: Customer,
    payment: Payment,
    posting: PaymentPosting | None = None,
    *,
    period: str = "",
) -> StoredDocument | None:
    """Returns the document of a payment, without its number. `posting` is what Stripe's part of it was.

    Returns None for a posting that only rounds, and for money that went back if no receipt is there to name. Raises
    BadInputError if something about the seller or the buyer is missing that it needs to say.
    """
    if posting is not None and posting.is_rounding:
        return None
    gross_cents = None if posting is None else abs(posting.gross_cents)
    treatment = _taxed(billing, user, details, payment, gross_cents)
    _require(billing, user, details, treatment)
    back = payment.amount_pico < 0
    line = invoicing.single(_text(user, posting, back=back), payment.amount_pico)
    amounts = invoicing.add_up([line], 0, treatment, credit=back)
    plain = amounts.totals, amounts.tax
    totals, tax = plain if gross_cents is None else _exact(*plain, gross_cents)
    about = await _receipt_of(unit, posting) if posting is not None and back else None
    if back and about is None:
        return None
    at = calendar(billing.zone)
    day, now_us = at.date(payment.id), unit.clock.now_us()
    document = Document(
        number="",
        kind=DocumentKind.CREDIT_NOTE if back else DocumentKind.RECEIPT,
        issued_on=at.date(now_us),
        due_on=None,
        period=period or f"{day:%Y-%m}",
        first_day=None,
        last_day=None,
        currency=CURRENCY,
        seller=billing.party,
        buyer=details.party,
        user=user.public_id,
        lines=amounts.lines,
        totals=invoicing.settled(totals),
        tax=tax,
        ledger=None,
        about=(DocumentReference(about.document.number, about.document.issued_on),) if about else (),
        payment=_paid_on(payment, day.isoformat(), back=back),
        notes=(payment.note,) if payment.note else (),
    )
    return StoredDocument(
        id=0,
        user_id=user.id,
        document=document,
        span=None,
        covers=False,
        issued_at_us=now_us,
        about_id=about.id if about else None,
        transfer_id=payment.id,
    )


def _taxed(
    billing: Billing, user: User, details: Customer, payment: Payment, gross_cents: int | None
) -> Treatment | None:
    """Credit that is sold carries the tax. A payment for an invoice does not, because the invoice carried it."""
    treatment = None if user.postpaid else _treatment(billing, details)
    return treatment if gross_cents is None else _known(treatment, gross_cents, abs(payment.amount_pico) // CENT_PICO)


def _paid_on(payment: Payment, day: str, *, back: bool) -> str:
    reference = f", reference {payment.reference}" if payment.reference else ""
    return f"{'Paid back' if back else 'Paid'} on {day}{reference}"


def _require(billing: Billing, user: User, details: Customer, treatment: Treatment | None) -> None:
    billing.require(treatment)
    if treatment is not None:
        require_buyer(user.name, details.party, treatment)


def _treatment(billing: Billing, details: Customer) -> Treatment | None:
    treatment = billing.treatment(details)
    return None if treatment.category is Category.OUTSIDE else treatment


def _text(user: User, posting: PaymentPosting | None, *, back: bool) -> str:
    if posting is None or posting.cause is PostingCause.PAYMENT:
        return "Payment received" if user.postpaid else "Prepaid credit"
    if posting.cause is PostingCause.REFUND:
        return "Refund of prepaid credit" if back else "Refund that was not made"
    return "Prepaid credit, taken back by the bank" if back else "Prepaid credit, paid back by the bank"


def _known(own: Treatment | None, gross_cents: int, net_cents: int) -> Treatment | None:
    """Returns the tax that was charged: the configured one if it gives that amount, or else Stripe's, by its rate."""
    if gross_cents == net_cents:
        return own if own is not None and not own.rate else None
    if own is not None:
        totals, _ = invoicing.tax_on(net_cents, own)
        if totals.gross == cents(gross_cents):
            return own
    for decimals in range(_RATE_DECIMALS + 1):
        rate = Decimal(divide_half_even(100 * 10**decimals * (gross_cents - net_cents), net_cents)).scaleb(-decimals)
        treatment = Treatment(Category.STANDARD, rate)
        if invoicing.tax_on(net_cents, treatment)[0].gross == cents(gross_cents):
            break
    return treatment


def _exact(
    totals: DocumentTotals, tax: DocumentTax | None, gross_cents: int
) -> tuple[DocumentTotals, DocumentTax | None]:
    """Returns the totals with the tax that was charged, to the cent."""
    gross = cents(gross_cents)
    added = gross - totals.net
    exact = replace(totals, tax=added, gross=gross, due=gross)
    return exact, None if tax is None else replace(tax, amount=added)


async def _receipt_of(unit: Unit, posting: PaymentPosting) -> StoredDocument | None:
    """Returns the receipt of the payment that this posting takes back."""
    first = [one for one in await unit.payments.posted(posting.payment_id) if one.cause is PostingCause.PAYMENT]
    return await unit.bill.of_transfer(first[0].transfer_id) if first else None

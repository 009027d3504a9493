"""The page about money: the balance, payments, documents, and what a person can do about them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from softix_proxy.domain.access.permissions import Permission
from softix_proxy.domain.access.users import User
from softix_proxy.domain.billing.bill import Document
from softix_proxy.domain.billing.seller import BuyerUnknownError
from softix_proxy.domain.core.errors import BadInputError, ConflictError, FailureError, NotFoundError, OperatorError
from softix_proxy.domain.core.money import PICO_PER_CENT, format_cents
from softix_proxy.domain.ledger.auto_top_ups import AutoTopUp
from softix_proxy.domain.ledger.payments import OnlinePayment
from softix_proxy.exports.billing.bill_formats import FORMATS, MEDIA_TYPES
from softix_proxy.exports.billing.bill_pdf import fonts_of
from softix_proxy.operations.billing import bill, payment_documents
from softix_proxy.operations.billing.billing_overview import billing_overview
from softix_proxy.operations.ledger import auto_top_ups, checkouts, payments, refunds
from softix_proxy.operations.ledger.payments import PaymentContext
from softix_proxy.web.portal.core.form_faults import sentence, status_of
from softix_proxy.web.portal.core.page import Answer, Download, Page, PageRequest, SeeOther, whole
from softix_proxy.web.portal.core.typed import typed_cents
from softix_proxy.web.portal.organisation.scope import require

_STRIPE = ("https://checkout.stripe.com", "https://billing.stripe.com")
_LISTED = 50


def organisation(request: PageRequest, permission: Permission) -> User:
    """Returns the organisation that the page is about. Raises NotFoundError for a person without the permission."""
    return require(request, permission).organisation


async def context_of(request: PageRequest) -> PaymentContext:
    """Returns what the operations on payments need, with the storage of the page's operation.

    Raises NotFoundError where payments are switched off.
    """
    if request.payments is None:
        raise NotFoundError("no such page")
    return replace(await request.payments.context(), storage=request.storage)


def origins(request: PageRequest) -> tuple[str, ...]:
    """Returns the origins to which a form of these pages leads."""
    base = request.settings.payments.api_base
    if base is None:
        return _STRIPE
    parts = urlsplit(base)
    return (f"{parts.scheme}://{parts.netloc}",)


async def show(request: PageRequest, error: OperatorError | None = None) -> Answer:
    """Shows balance, payments and documents. Who comes back from Stripe sees the payment as it is there."""
    scope = require(request, Permission.PAYMENTS_READ)
    user = scope.organisation
    named = request.query.get("payment")
    returned = await _returned(request, user, named) if named else None
    found = await billing_overview(request.storage, user.id, _LISTED)
    missing = await payment_documents.missing(request.storage, request.settings.billing, user.id)
    values = {
        "balance_pico": found.wallet.posted_pico,
        "held_pico": found.wallet.held_pico,
        "payments": [_row(one) for one in found.payments],
        "documents": [{"document": one, "forms": forms_of(one)} for one in found.documents],
        "refunds": [
            {
                "id": one.public_id,
                "pico": one.amount_cents * PICO_PER_CENT,
                "state": one.state.value,
                "at_us": one.created_at_us,
            }
            for one in found.refunds
        ],
        "top_up": None if found.auto_top_up is None else _top_up_fields(found.auto_top_up),
        "returned": None if returned is None else returned.state.value,
        "can_pay": request.payments is not None and scope.membership.may(Permission.PAYMENTS_WRITE),
        "is_test": await _is_test(request),
        "may_ask": request.settings.payments.refunds == "ask",
        "may_change_address": scope.membership.may(Permission.PAYMENTS_WRITE),
        "needs_address": any(isinstance(one.problem, BuyerUnknownError) for one in missing),
        "problem": sentence(error),
    }
    return Page("billing", values, status_of(error), forms_to=origins(request))


def _row(payment: OnlinePayment) -> dict[str, Any]:
    return {
        "id": payment.public_id,
        "state": payment.state.value,
        "kind": payment.kind.value,
        "at_us": payment.created_at_us,
        "total_pico": (payment.paid_cents or payment.asked_total_cents) * PICO_PER_CENT,
        "credit_pico": payment.credit_pico,
        "is_live": payment.is_live,
    }


def _top_up_fields(top_up: AutoTopUp) -> dict[str, Any]:
    return {
        "enabled": top_up.enabled,
        "paused": top_up.paused_at_us is not None,
        "failed_too_often": top_up.failed_too_often,
        "threshold_pico": top_up.threshold_cents * PICO_PER_CENT,
        "amount_pico": top_up.amount_cents * PICO_PER_CENT,
        "cap_pico": top_up.monthly_cap_cents * PICO_PER_CENT,
    }


async def _is_test(request: PageRequest) -> bool:
    if request.payments is None:
        return False
    try:
        return not await request.payments.is_live()
    except FailureError:
        return False


async def _returned(request: PageRequest, user: User, named: str) -> OnlinePayment | None:
    """Looks at the payment from which a person comes back, so that nobody waits for the event."""
    try:
        found = await payments.show_of_user(request.storage, named, user.id)
    except NotFoundError:
        return None
    if found.state.is_unfinished and request.payments is not None:
        try:
            return await payments.reconcile(await request.payments.context(), found.id)
        except OperatorError:
            return found
    return found


async def show_top_up(request: PageRequest) -> Answer:
    organisation(request, Permission.PAYMENTS_WRITE)
    await context_of(request)
    return await _top_up_page(request, None)


async def _top_up_page(request: PageRequest, error: OperatorError | None) -> Page:
    section = request.settings.payments
    values = {
        "amount": request.form.get("amount", ""),
        "least": section.least,
        "most": section.most,
        "tax": section.tax,
        "is_test": await _is_test(request),
        "problem": sentence(error),
    }
    return Page("billing_top_up", values, status_of(error), forms_to=origins(request))


async def begin_top_up(request: PageRequest) -> Answer:
    """Sends the person to Stripe's page."""
    user = organisation(request, Permission.PAYMENTS_WRITE)
    context = await context_of(request)
    try:
        cents = typed_cents(request.form.get("amount", ""))
        saves = request.form.get("save") == "yes"
        url = await checkouts.begin(context, user, request.viewer.account, cents, saves_method=saves)
    except (BadInputError, ConflictError, FailureError) as error:
        return await _top_up_page(request, error)
    return SeeOther(url)


async def open_methods(request: PageRequest) -> Answer:
    """Sends the person to Stripe's page for cards."""
    user = organisation(request, Permission.PAYMENTS_WRITE)
    context = await context_of(request)
    try:
        return SeeOther(await checkouts.methods_url(context, user, request.viewer.account))
    except ConflictError as error:
        return await show(request, error)


async def show_auto_top_up(request: PageRequest) -> Answer:
    return await _auto_page(request, organisation(request, Permission.PAYMENTS_WRITE), None)


async def _auto_page(request: PageRequest, user: User, error: OperatorError | None) -> Page:
    await context_of(request)
    known = await auto_top_ups.show(request.storage, user.id)
    values = {
        "top_up": None if known is None else _top_up_fields(known),
        "problem": sentence(error),
        "form": {
            "threshold": request.form.get("threshold") or (format_cents(known.threshold_cents) if known else "5.00"),
            "amount": request.form.get("amount") or (format_cents(known.amount_cents) if known else "25.00"),
            "cap": request.form.get("cap") or (format_cents(known.monthly_cap_cents) if known else "100.00"),
        },
        "is_test": await _is_test(request),
    }
    return Page("billing_auto_top_up", values, status_of(error), forms_to=origins(request))


async def set_auto_top_up(request: PageRequest) -> Answer:
    user = organisation(request, Permission.PAYMENTS_WRITE)
    context = await context_of(request)
    if request.form.get("what") == "off":
        await auto_top_ups.switch_off(request.storage, user.id)
        return SeeOther("/billing", "flash.saved")
    try:
        await auto_top_ups.set_up(
            context,
            user.id,
            account=request.viewer.account,
            threshold_cents=typed_cents(request.form.get("threshold", "")),
            amount_cents=typed_cents(request.form.get("amount", "")),
            monthly_cap_cents=typed_cents(request.form.get("cap", "")),
        )
    except (BadInputError, ConflictError) as error:
        return await _auto_page(request, user, error)
    return SeeOther("/billing", "flash.saved")


async def show_refund(request: PageRequest) -> Answer:
    return await _refund_page(request, request.query.get("payment", ""), None)


async def _refund_page(request: PageRequest, public_id: str, error: OperatorError | None) -> Page:
    user = organisation(request, Permission.PAYMENTS_WRITE)
    await context_of(request)
    if request.settings.payments.refunds != "ask":
        raise NotFoundError("no such page")
    found, rest = await refunds.offer(request.storage, public_id, user.id)
    top_up = await auto_top_ups.show(request.storage, user.id)
    values = {
        "payment": _row(found),
        "net_pico": rest.net_cents * PICO_PER_CENT,
        "gross_pico": rest.gross_cents * PICO_PER_CENT,
        "amount": request.form.get("amount", format_cents(rest.net_cents)),
        "pauses": top_up is not None and top_up.is_active,
        "problem": sentence(error),
    }
    return Page("billing_refund", values, status_of(error))


async def ask_refund(request: PageRequest) -> Answer:
    """Asks for a refund. The money leaves the balance with this request."""
    user = organisation(request, Permission.PAYMENTS_WRITE)
    public_id = request.form.get("payment", "")
    if request.settings.payments.refunds != "ask":
        raise NotFoundError("no such page")
    try:
        await refunds.request(
            await context_of(request),
            public_id,
            net_cents=typed_cents(request.form.get("amount", "")),
            account_id=request.viewer.account.id,
            user_id=user.id,
        )
    except (BadInputError, ConflictError, FailureError) as error:
        return await _refund_page(request, public_id, error)
    return SeeOther("/billing", "flash.refund_asked")


async def download_document(request: PageRequest) -> Answer:
    """Sends a document of the organisation. That of another one does not exist."""
    user = organisation(request, Permission.PAYMENTS_READ)
    number, form = request.parts["number"], request.parts["form"]
    found = await bill.show(request.storage, number)
    if found.user_id != user.id or form not in forms_of(found.document):
        raise NotFoundError("no such document")
    fonts = fonts_of(request.settings.billing)
    made = await asyncio.to_thread(FORMATS[form], found.document, fonts)  # a PDF would hold the loop up
    return Download(whole(made), f"{number}.{form}", MEDIA_TYPES[form])


def forms_of(document: Document) -> tuple[str, ...]:
    """Returns the forms of a document. XML is that of an invoice, so a document without a tax has none."""
    return ("html", "pdf", "xml") if document.tax is not None else ("html", "pdf")

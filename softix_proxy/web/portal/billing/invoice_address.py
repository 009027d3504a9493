"""The form with what stands on documents about the buyer. Whoever may pay for the organisation may change it."""

from __future__ import annotations

from collections.abc import Mapping

from softix_proxy.domain.access.permissions import Permission
from softix_proxy.domain.access.users import User
from softix_proxy.domain.billing.bill import Party
from softix_proxy.domain.core.errors import BadInputError, OperatorError
from softix_proxy.operations.billing import bill, payment_documents
from softix_proxy.web.portal.billing.billing import organisation
from softix_proxy.web.portal.core.form_faults import sentence, status_of
from softix_proxy.web.portal.core.page import Answer, Page, PageRequest, SeeOther

_FIELDS = ("name", "postcode", "city", "country", "vat_id")


async def show_address(request: PageRequest) -> Answer:
    user = organisation(request, Permission.PAYMENTS_WRITE)
    return await _page(request, user)


async def save_address(request: PageRequest) -> Answer:
    """Stores the details, and issues the receipts that waited for them. Issued documents stay as they are."""
    user, billing = organisation(request, Permission.PAYMENTS_WRITE), request.settings.billing
    typed = {name: request.form.get(name, "").strip() for name in (*_FIELDS, "address")}
    lines = tuple(line.strip() for line in typed["address"].splitlines())
    try:
        await bill.set_customer(
            request.storage,
            billing,
            user.public_id,
            by_customer=True,
            address=lines or ("",),
            **{name: typed[name] for name in _FIELDS},
        )
    except BadInputError as error:
        return await _page(request, user, typed, error)
    await payment_documents.issue_missing(request.storage, billing, user.id)
    return SeeOther("/billing", "flash.saved")


def _fields(party: Party) -> dict[str, str]:
    return {**{name: getattr(party, name) for name in _FIELDS}, "address": "\n".join(party.address)}


async def _page(
    request: PageRequest, user: User, typed: Mapping[str, str] | None = None, error: OperatorError | None = None
) -> Page:
    _, customer = await bill.customer(request.storage, user.public_id)
    known = _fields(customer.party)
    values = {
        "form": known if typed is None else typed,
        "decided": known if bill.is_tax_decided(customer) else None,
        "problem": sentence(error),
    }
    return Page("billing_address", values, status_of(error))

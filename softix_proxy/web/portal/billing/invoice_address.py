"""The form with what stands on documents about the buyer. Whoever may pay for the organisation may change it."""

from __future__ import annotations

from softix_proxy.domain.billing.bill import Party
from softix_proxy.domain.core.errors import BadInputError, OperatorError
from softix_proxy.domain.organisations.organisations import Right
from softix_proxy.operations.billing import bill, payment_documents
from softix_proxy.web.portal.billing.billing import organisation
from softix_proxy.web.portal.core.form_faults import sentence, status_of
from softix_proxy.web.portal.core.page import Answer, Page, PageRequest, SeeOther

_FIELDS = ("name", "postcode", "city", "country", "vat_id")


async def show_address(request: PageRequest) -> Answer:
    _, customer = await bill.customer(request.storage, organisation(request, Right.PAY).public_id)
    return _page(_fields(customer.party))


async def save_address(request: PageRequest) -> Answer:
    """Stores the details, and issues the receipts that waited for them. Issued documents stay as they are."""
    user, billing = organisation(request, Right.PAY), request.settings.billing
    typed = {name: request.form.get(name, "").strip() for name in (*_FIELDS, "address")}
    lines = tuple(line.strip() for line in typed["address"].splitlines())
    try:
        await bill.set_customer(
            request.storage, billing, user.public_id, address=lines or ("",), **{name: typed[name] for name in _FIELDS}
        )
    except BadInputError as error:
        return _page(typed, error)
    await payment_documents.issue_missing(request.storage, billing, user.id)
    return SeeOther("/billing", "flash.saved")


def _fields(party: Party) -> dict[str, str]:
    return {**{name: getattr(party, name) for name in _FIELDS}, "address": "\n".join(party.address)}


def _page(form: dict[str, str], error: OperatorError | None = None) -> Page:
    return Page("billing_address", {"form": form, "problem": sentence(error)}, status_of(error))

"""The page of payments by the payment provider, and of the refunds that people ask for."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from softix_proxy.domain.core.errors import BadInputError, ConflictError, NotFoundError, OperatorError
from softix_proxy.domain.core.money import PICO_PER_CENT
from softix_proxy.domain.ledger.payments import OnlinePayment
from softix_proxy.domain.ledger.refunds import RefundState
from softix_proxy.domain.ports.payment_gateway import GatewayError
from softix_proxy.operations.access import users
from softix_proxy.operations.ledger import payments, refunds
from softix_proxy.web.portal.admin.admin_page import admin_page
from softix_proxy.web.portal.admin.faults import ShownFault, shown_fault
from softix_proxy.web.portal.core.form_faults import sentence
from softix_proxy.web.portal.core.page import Answer, Page, PageRequest, SeeOther

_SHOWN = 200
_BAD_GATEWAY = 502
_DECISIONS = {
    "approve": ("payments.approve-refund", refunds.approve, "flash.refund_approved"),
    "refuse": ("payments.refuse-refund", refunds.refuse, "flash.refund_refused"),
}


class ShownAmounts(NamedTuple):
    """The amounts of a payment with the tax, as the page shows them."""

    asked_pico: int
    paid_pico: int
    back_pico: int
    """What went back, by refunds and by disputes."""


async def payments_page(request: PageRequest) -> Answer:
    """Lists the newest payments, of one user or of all, and the refunds that wait for an answer."""
    return await _page(request)


async def decide(request: PageRequest) -> Answer:
    """Approves or refuses a refund that somebody asked for. The money is held until then."""
    public_id, decision = request.parts["id"], request.form.get("decision", "")
    if request.payments is None:
        raise NotFoundError("there is no such page", "")
    try:
        if decision not in _DECISIONS:
            raise BadInputError("nothing was chosen", "use the buttons of the page")
        operation, run, message = _DECISIONS[decision]
        if (await refunds.show(request.storage, public_id)).state is not RefundState.REQUESTED:
            raise ConflictError("this refund was answered before")
        context = await request.payments.context()
        storage = await request.door.enter(operation)
        await run(replace(context, storage=storage), public_id)
    except NotFoundError:
        raise
    except GatewayError as error:
        return await _page(request, ShownFault(sentence(error), "admin_fault.gateway", _BAD_GATEWAY))
    except OperatorError as error:
        return await _page(request, shown_fault(error, "refund"))
    return SeeOther("/admin/payments", message)


async def _page(request: PageRequest, fault: ShownFault | None = None) -> Page:
    user = request.query.get("user", "")
    owner = await users.show_id(request.storage, user) if user else None
    user_id = owner.id if owner else None
    found = await payments.list_all(request.storage, user_id, _SHOWN)
    asked = [
        (one, await payments.show_number(request.storage, one.payment_id))
        for one in (await refunds.list_all(request.storage, RefundState.REQUESTED, user_id))[:_SHOWN]
    ]
    numbers = {payment.user_id for payment in [*found, *(payment for _, payment in asked)]}
    owners = {number: await users.show_number(request.storage, number) for number in numbers}
    return admin_page(
        request,
        "admin_payments",
        fault=fault,
        payments=[(payment, _amounts(payment)) for payment in found],
        asked=[(one, payment, one.amount_cents * PICO_PER_CENT) for one, payment in asked],
        owners=owners,
        owner=owner,
        can_decide=request.payments is not None,
    )


def _amounts(payment: OnlinePayment) -> ShownAmounts:
    back_cents = payment.refunded_cents + payment.disputed_cents
    return ShownAmounts(
        asked_pico=payment.asked_total_cents * PICO_PER_CENT,
        paid_pico=payment.paid_cents * PICO_PER_CENT,
        back_pico=back_cents * PICO_PER_CENT,
    )

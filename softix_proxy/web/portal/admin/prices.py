"""The pages of prices: those in force, and those that wait for approval."""

from __future__ import annotations

import re

from softix_proxy.domain.core.errors import BadInputError, OperatorError
from softix_proxy.domain.pricing.prices import format_markup
from softix_proxy.operations.pricing import price_proposals, prices
from softix_proxy.operations.pricing.price_proposals import ProposalMark, Proposed
from softix_proxy.web.portal.admin.admin_page import admin_page
from softix_proxy.web.portal.admin.apart import apart
from softix_proxy.web.portal.admin.faults import ShownFault, shown_fault
from softix_proxy.web.portal.admin.listing import PER_PAGE, listing_in
from softix_proxy.web.portal.core.page import Answer, Page, PageRequest, SeeOther

_MARKS = re.compile(r"\d{1,18}-\d{1,18}(?:,\d{1,18}-\d{1,18})*", re.ASCII)
_DECISIONS = {
    "approve": ("prices.approve", price_proposals.approve, "flash.prices_approved"),
    "reject": ("prices.reject", price_proposals.reject, "flash.prices_rejected"),
}


async def prices_page(request: PageRequest) -> Answer:
    """Lists the prices in force and to come, and the mark-ups."""
    every = await apart(prices.list_all(request.storage))
    page = listing_in(
        request, every, lambda one: f"{one.provider.name}/{one.model.name}", lambda one: str(one.version.id)
    )
    waiting = await price_proposals.count(request.storage)
    markups = [(one, format_markup(one.version.factor)) for one in await prices.list_markups(request.storage)]
    return admin_page(request, "admin_prices", listing=page, waiting=waiting, markups=markups)


async def proposals_page(request: PageRequest) -> Answer:
    """Shows what each proposed price would change."""
    return await _proposals(request)


async def decide(request: PageRequest) -> Answer:
    """Approves or rejects the proposed prices of one model, if they are still those that the page showed."""
    model, decision = request.form.get("model", ""), request.form.get("decision", "")
    try:
        if decision not in _DECISIONS or not model:
            raise BadInputError("nothing was chosen", "use the buttons of the page")
        operation, run, message = _DECISIONS[decision]
        await run(await request.door.enter(operation), [model], seen=_marks(request.form.get("seen", "")))
    except OperatorError as error:
        return await _proposals(request, shown_fault(error, "prices"))
    return SeeOther("/admin/prices/proposals", message)


async def _proposals(request: PageRequest, fault: ShownFault | None = None) -> Page:
    by_model: dict[str, list[Proposed]] = {}
    for one in await apart(price_proposals.pending(request.storage)):
        by_model.setdefault(one.full_name, []).append(one)
    marks = {name: ",".join("{}-{}".format(*one.mark) for one in own) for name, own in by_model.items()}
    return admin_page(
        request,
        "admin_price_proposals",
        fault=fault,
        by_model=dict(list(by_model.items())[:PER_PAGE]),
        more=max(len(by_model) - PER_PAGE, 0),
        marks=marks,
    )


def _marks(text: str) -> set[ProposalMark]:
    """Reads the marks of what the page showed. Raises BadInputError."""
    if _MARKS.fullmatch(text) is None:
        raise BadInputError("the form is not complete", "open the page anew")
    pairs = (mark.split("-") for mark in text.split(","))
    return {(int(number), int(made_us)) for number, made_us in pairs}

"""The pages of usage: the list of requests, and one request with its price worked out."""

from __future__ import annotations

from softix_proxy.domain.core.clock import format_instant
from softix_proxy.domain.core.errors import BadInputError, NotFoundError, OperatorError
from softix_proxy.domain.core.ids import format_request_id
from softix_proxy.domain.metering.usage import UsageRow
from softix_proxy.domain.pricing.meters import METERS
from softix_proxy.domain.pricing.prices import format_markup
from softix_proxy.operations.metering import usage
from softix_proxy.web.portal.admin.admin_page import admin_page
from softix_proxy.web.portal.admin.faults import shown_fault
from softix_proxy.web.portal.admin.listing import PER_PAGE, listing, searched
from softix_proxy.web.portal.admin.recent import DAYS, recent_from
from softix_proxy.web.portal.core.page import Answer, PageRequest

_ASKED = ("user", "key", "model", "from", "to", "errors")
_MOST_LETTERS = 140


async def usage_page(request: PageRequest) -> Answer:
    """Lists requests by time, user, key and model, the newest first."""
    asked = {name: searched(request, name, _MOST_LETTERS) for name in _ASKED}
    before = request.query.get("before", "")
    fault, rows = None, []
    try:
        rows = list(
            await usage.newest(
                request.storage,
                limit=PER_PAGE + 1,
                user=asked["user"] or None,
                key=asked["key"] or None,
                model=asked["model"] or None,
                from_=asked["from"] or recent_from(request.now_us),
                to=_instant_of(before) or asked["to"] or None,
                zone=request.settings.billing.zone,
                errors_only=asked["errors"] == "yes",
            )
        )
    except OperatorError as error:
        fault = shown_fault(error, "usage")
    page = listing(request, rows, lambda row: str(row.id), asked)
    return admin_page(request, "admin_usage", fault=fault, listing=page, asked=asked, days=DAYS, id_of=id_of)


async def request_page(request: PageRequest) -> Answer:
    """Shows one request: what it used, what it cost line by line, and what was tried."""
    try:
        explained = await usage.explain(request.storage, request.parts["id"])
    except BadInputError:
        raise NotFoundError("there is no such request", "") from None
    costs = {line.meter: line.cost_pico for line in explained.cost_lines}
    lines = [(line, METERS[line.meter].per, costs.get(line.meter)) for line in explained.lines]
    return admin_page(
        request,
        "admin_request",
        explained=explained,
        row=explained.row,
        lines=lines,
        markup=format_markup(explained.row.markup),
        id_of=id_of,
    )


def id_of(row: UsageRow) -> str:
    return format_request_id(row.request_id)


def _instant_of(place: str) -> str | None:
    """Returns the instant of a row's number, which is its time of posting. None for anything else."""
    if not (place.isascii() and place.isdigit() and len(place) <= 16):
        return None
    return format_instant(int(place))

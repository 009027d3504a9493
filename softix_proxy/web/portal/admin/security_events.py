"""The pages of security: who signed in, what failed, and what the rules against abuse noticed."""

from __future__ import annotations

from functools import partial

from softix_proxy.operations.abuse import abuse
from softix_proxy.operations.accounts import operators
from softix_proxy.web.portal.admin.admin_page import admin_page
from softix_proxy.web.portal.admin.listing import PER_PAGE, listing, listing_of, number_before, searched
from softix_proxy.web.portal.core.page import Answer, PageRequest, SeeOther


async def security_page(request: PageRequest) -> Answer:
    """Lists the events of one account or of all, the newest first."""
    account = searched(request, "account")
    found = await operators.security_events(
        request.storage, account or None, before=number_before(request), limit=PER_PAGE + 1
    )
    page = listing(request, found, lambda row: str(row[0].id), {"account": account})
    return admin_page(request, "admin_security", listing=page, account=account)


async def alerts_page(request: PageRequest) -> Answer:
    """Lists the alerts of the rules against abuse, the newest first: all, or those of which nobody took note."""
    only_open = request.query.get("open") == "1"
    read = partial(abuse.list_all, request.storage, only_open=only_open)
    page = await listing_of(request, read, lambda alert: alert.public_id, {"open": "1" if only_open else ""})
    return admin_page(request, "admin_abuse", listing=page)


async def acknowledge(request: PageRequest) -> Answer:
    """Takes note of an alert."""
    await abuse.acknowledge(await request.door.enter("abuse.ack"), request.parts["id"])
    return SeeOther("/admin/abuse", "flash.abuse_noted")

"""The page of security events: who signed in, what failed, and what was changed."""

from __future__ import annotations

from softix_proxy.operations.accounts import operators
from softix_proxy.web.portal.admin.admin_page import admin_page
from softix_proxy.web.portal.admin.listing import PER_PAGE, listing, number_before, searched
from softix_proxy.web.portal.core.page import Answer, PageRequest


async def security_page(request: PageRequest) -> Answer:
    """Lists the events of one account or of all, the newest first."""
    account = searched(request, "account")
    found = await operators.security_events(
        request.storage, account or None, before=number_before(request), limit=PER_PAGE + 1
    )
    page = listing(request, found, lambda row: str(row[0].id), {"account": account})
    return admin_page(request, "admin_security", listing=page, account=account)

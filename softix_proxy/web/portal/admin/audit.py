"""The page of the audit: which operator did what."""

from __future__ import annotations

from softix_proxy.operations.accounts import audit
from softix_proxy.web.portal.admin.admin_page import admin_page
from softix_proxy.web.portal.admin.listing import PER_PAGE, listing, number_before
from softix_proxy.web.portal.core.page import Answer, PageRequest


async def audit_page(request: PageRequest) -> Answer:
    """Lists the entries, the newest first. The whole chain is verified where the query asks for it."""
    found = await audit.page(request.storage, before=number_before(request), limit=PER_PAGE + 1)
    verified = await audit.verify(request.storage) if request.query.get("verify") == "yes" else None
    page = listing(request, found, lambda entry: str(entry.id))
    return admin_page(request, "admin_audit", listing=page, verified=verified)

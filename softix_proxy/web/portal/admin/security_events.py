"""The page of security events: who signed in, what failed, and what was changed."""

from __future__ import annotations

from softix_proxy.operations.accounts import operators
from softix_proxy.web.portal.admin.admin_page import admin_page
from softix_proxy.web.portal.admin.listing import searched
from softix_proxy.web.portal.core.page import Answer, PageRequest


async def security_page(request: PageRequest) -> Answer:
    """Lists the newest events, of one account or of all."""
    account = searched(request, "account")
    found = await operators.security_events(request.storage, account or None)
    return admin_page(request, "admin_security", events=found, account=account)

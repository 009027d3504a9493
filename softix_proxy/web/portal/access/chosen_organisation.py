"""The page to choose the organisation that the other pages are about."""

from __future__ import annotations

from softix_proxy.operations.accounts import account_view
from softix_proxy.web.portal.core.error_pages import missing
from softix_proxy.web.portal.core.page import Answer, Page, PageRequest, SeeOther


async def show(request: PageRequest) -> Answer:
    return Page("organisations", {"joined": await account_view.joined(request.storage, request.viewer.account.id)})


async def choose(request: PageRequest) -> Answer:
    """Notes the choice in the cookie. One that the person does not belong to does not exist."""
    chosen = request.form.get("organisation", "")
    joined = await account_view.joined(request.storage, request.viewer.account.id)
    if chosen not in {each.organisation.public_id for each in joined}:
        raise missing()
    return SeeOther("/", organisation=chosen)

"""The page to choose the organisation that the other pages are about."""

from __future__ import annotations

from softix_proxy.web.portal.core.error_pages import missing
from softix_proxy.web.portal.core.page import Answer, Page, PageRequest, SeeOther


async def show(request: PageRequest) -> Answer:
    users = request.storage.reading().users
    return Page(
        "organisations",
        {"organisations": [(member, await users.get(member.user_id)) for member in request.viewer.memberships]},
    )


async def choose(request: PageRequest) -> Answer:
    """Notes the choice in the cookie. One that the person does not belong to does not exist."""
    users, chosen = request.storage.reading().users, request.form.get("organisation", "")
    for member in request.viewer.memberships:
        if (await users.get(member.user_id)).public_id == chosen:
            return SeeOther("/", organisation=chosen)
    raise missing()

"""The page of an invitation. It shows what the link is for, and its form accepts it.

Programs that scan mail open every link, so that opening it changes nothing.
"""

from __future__ import annotations

from softix_proxy.domain.core.errors import ConflictError
from softix_proxy.operations.organisations import invitations
from softix_proxy.web.portal.core.page import Answer, Page, PageRequest, SeeOther
from softix_proxy.web.portal.core.return_path import with_return
from softix_proxy.web.portal.organisation.scope import status_of


async def show_invitation(request: PageRequest) -> Answer:
    return await _page(request)


async def accept_invitation(request: PageRequest) -> Answer:
    """Makes the person who is signed in a member, if the invitation was sent to the address of the account."""
    if not request.is_signed_in:
        return SeeOther(with_return("/sign-in", request.path))
    opened = await invitations.find(request.storage, request.parts["token"])
    try:
        await invitations.accept(request.storage, request.parts["token"], request.viewer.account.id)
    except ConflictError as error:
        return await _page(request, status_of(error))
    return SeeOther("/", "flash.joined", organisation=opened.organisation.public_id)


async def _page(request: PageRequest, status: int = 200) -> Page:
    token = request.parts["token"]
    opened = await invitations.find(request.storage, token)
    values = {
        "opened": opened,
        "token": token,
        "is_signed_in": request.is_signed_in,
        "is_for_viewer": request.is_signed_in and opened.is_for(request.viewer.account),
        "sign_in": with_return("/sign-in", request.path),
        "may_register": request.settings.portal.registration != "closed",
    }
    return Page("invitation", values, status)

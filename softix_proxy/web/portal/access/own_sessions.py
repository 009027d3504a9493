"""The page of one's own sessions and of what happened to the account."""

from __future__ import annotations

from softix_proxy.operations.accounts import security_events, sessions
from softix_proxy.web.portal.core.page import Answer, Page, PageRequest, SeeOther

SESSIONS = "/account/sessions"
_MOST_EVENTS = 50


async def show(request: PageRequest) -> Answer:
    viewer = request.viewer
    return Page(
        "account_sessions",
        {
            "sessions": await sessions.list_all(request.storage, viewer.account.id),
            "current": viewer.session.public_id,
            "events": await security_events.list_all(request.storage, viewer.account.id, limit=_MOST_EVENTS),
        },
    )


async def end(request: PageRequest) -> Answer:
    """Ends one session. That of somebody else is as unknown as one that does not exist."""
    await sessions.revoke(
        request.storage,
        request.viewer.account.id,
        request.parts["id"],
        address=request.address,
        device=request.device,
    )
    return SeeOther(SESSIONS, "flash.session_ended")


async def end_others(request: PageRequest) -> Answer:
    await sessions.revoke_others(
        request.storage, request.viewer.session, address=request.address, device=request.device
    )
    return SeeOther(SESSIONS, "flash.sessions_ended")

"""The pages to sign in and to sign out."""

from __future__ import annotations

from typing import Any

from softix_proxy.domain.accounts.refusals import AccountRefusedError
from softix_proxy.operations.accounts import sessions, sign_in
from softix_proxy.operations.accounts.sign_in import SecondFactorNeeded, SignedIn
from softix_proxy.web.portal.access.refusals import refused_page
from softix_proxy.web.portal.core.page import END_OF_SESSION, Answer, Page, PageRequest, SeeOther
from softix_proxy.web.portal.core.return_path import safe_path, with_return
from softix_proxy.web.portal.core.session_cookie import new_cookie
from softix_proxy.web.portal.core.steps import SECOND_FACTOR, SIGN_IN


async def show(request: PageRequest) -> Answer:
    back = safe_path(request.query.get("next"))
    if request.is_signed_in:
        return SeeOther(back)
    return Page("sign_in", _values("", back))


async def submit(request: PageRequest) -> Answer:
    """Signs in by e-mail and password. The session that the browser had ends, and its token with it."""
    email, back = request.form.get("email", ""), safe_path(request.form.get("next"))
    try:
        done = await sign_in.password(
            request.storage,
            request.vault,
            request.hasher,
            email=email,
            password=request.form.get("password", ""),
            address=request.address,
            device=request.device,
            portal=request.settings.portal,
            replaces=request.cookie,
        )
    except AccountRefusedError as error:
        return refused_page("sign_in", _values(email, back), error)
    return entered(request, done, back)


def entered(request: PageRequest, done: SignedIn | SecondFactorNeeded, back: str) -> SeeOther:
    """Gives the browser the session of a proof, and leads back, or first to the page of the second factor."""
    location = with_return(SECOND_FACTOR, back) if isinstance(done, SecondFactorNeeded) else back
    return SeeOther(location, cookie=new_cookie(done.token, done.session, request.now_us))


async def sign_out(request: PageRequest) -> Answer:
    """Ends the session, whatever state it is in, and the cookie."""
    if request.cookie:
        await sessions.sign_out(request.storage, request.cookie, address=request.address, device=request.device)
    return SeeOther(SIGN_IN, "flash.signed_out", cookie=END_OF_SESSION)


def _values(email: str, back: str) -> dict[str, Any]:
    return {"email": email, "next": back, "problem": None}

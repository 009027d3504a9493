"""The page behind the link that proves an address. Opening it spends nothing: only the button does.

Programs that look at mail follow each link in it. They send no form.
"""

from __future__ import annotations

from softix_proxy.domain.accounts.refusals import AccountRefusal, AccountRefusedError
from softix_proxy.operations.accounts import verification
from softix_proxy.web.portal.access.refusals import refused_page
from softix_proxy.web.portal.core.page import Answer, Page, PageRequest, SeeOther
from softix_proxy.web.portal.core.steps import SIGN_IN


async def show(request: PageRequest) -> Answer:
    """Shows what the link is for. A link that is worth nothing any more leads to a form for another one."""
    return await _form(request, request.query.get("token", ""), None)


async def submit(request: PageRequest) -> Answer:
    token = request.form.get("token", "")
    try:
        await verification.verify(
            request.storage,
            request.hasher,
            token,
            password=request.form.get("password", ""),
            address=request.address,
            device=request.device,
        )
    except AccountRefusedError as error:
        return await _form(request, token, error)
    return SeeOther(SIGN_IN, "flash.verified")


async def resend(request: PageRequest) -> Answer:
    """Sends the link again. The answer is the same whether or not somebody has the address."""
    await verification.resend(request.storage, request.vault, request.form.get("email", ""), address=request.address)
    return Page("link_sent", {"about": "verify"})


async def _form(request: PageRequest, token: str, error: AccountRefusedError | None) -> Page:
    if error is None or error.reason is not AccountRefusal.LINK_ENDED:
        try:
            found = await verification.look(request.storage, token)
        except AccountRefusedError as ended:
            error = ended
        else:
            values = {"token": token, "email": found.email, "problem": None}
            return Page("verify", values) if error is None else refused_page("verify", values, error)
    return refused_page("verify_again", {}, error)

"""The pages to set a new password by a mailed link, or the first one for an account that an operator made."""

from __future__ import annotations

from softix_proxy.domain.accounts.refusals import AccountRefusal, AccountRefusedError
from softix_proxy.operations.accounts import password_resets
from softix_proxy.web.portal.access.refusals import refused_page
from softix_proxy.web.portal.core.page import END_OF_SESSION, Answer, Page, PageRequest, SeeOther
from softix_proxy.web.portal.core.steps import SIGN_IN


async def show(request: PageRequest) -> Answer:
    """Shows the form for an address, or behind a link the form for the password. Opening the link spends nothing."""
    token = request.query.get("token", "")
    if not token:
        return Page("reset", {"email": "", "problem": None})
    return await _form(request, token, None)


async def submit(request: PageRequest) -> Answer:
    """Sends a link, or sets the password by one. The answer to an address is the same whether or not it is known."""
    token = request.form.get("token", "")
    if not token:
        await password_resets.request(
            request.storage,
            request.vault,
            request.form.get("email", ""),
            address=request.address,
            oidc=request.settings.oidc,
        )
        return Page("link_sent", {"about": "reset"})
    try:
        await password_resets.finish(
            request.storage,
            request.vault,
            request.hasher,
            token,
            password=request.form.get("password", ""),
            address=request.address,
            device=request.device,
        )
    except AccountRefusedError as error:
        return await _form(request, token, error)
    return SeeOther(SIGN_IN, "flash.password_set", cookie=END_OF_SESSION)


async def _form(request: PageRequest, token: str, error: AccountRefusedError | None) -> Page:
    if error is None or error.reason is not AccountRefusal.LINK_ENDED:
        try:
            found = await password_resets.look(request.storage, token)
        except AccountRefusedError as ended:
            error = ended
        else:
            values = {"token": token, "email": found.email, "is_first": found.is_first, "problem": None}
            return Page("new_password", values) if error is None else refused_page("new_password", values, error)
    return refused_page("reset", {"email": ""}, error)

"""The page on which a person who signed in a while ago proves again who it is, before what moves money or rights."""

from __future__ import annotations

from typing import Any

from softix_proxy.domain.accounts.refusals import AccountRefusedError
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.operations.accounts import passkeys, second_factor, sign_in
from softix_proxy.operations.accounts.sessions import StartedSession
from softix_proxy.web.portal.access.refusals import refused_page
from softix_proxy.web.portal.core.page import Answer, Page, PageRequest, SeeOther
from softix_proxy.web.portal.core.return_path import safe_path
from softix_proxy.web.portal.core.session_cookie import new_cookie
from softix_proxy.web.portal.core.steps import CONFIRM, to_confirm
from softix_proxy.web.portal.factors.factor_requests import origin_of
from softix_proxy.web.portal.factors.passkey_script import no_passkeys_page, prompt_page

_PAGE = "confirm"


async def show(request: PageRequest) -> Answer:
    return Page(_PAGE, {**await _values(request, safe_path(request.query.get("next"))), "problem": None})


async def submit_password(request: PageRequest) -> Answer:
    back = safe_path(request.form.get("next"))
    try:
        proved = await sign_in.confirm_password(
            request.storage,
            request.vault,
            request.hasher,
            request.viewer.session,
            password=request.form.get("password", ""),
            address=request.address,
            device=request.device,
        )
    except AccountRefusedError as error:
        return await refused(request, back, error)
    return confirmed(request, proved, back)


async def ask_passkey(request: PageRequest) -> Answer:
    """Asks the browser for a passkey of the account."""
    back = safe_path(request.form.get("next"))
    try:
        party = passkeys.relying_party(request.url)
        prompt = await passkeys.begin_second_factor(request.storage, request.vault, party, request.viewer.session)
    except FailureError as error:
        return no_passkeys_page(error)
    if prompt is None:
        return to_confirm(back)
    values = {"next": back, "to": f"{CONFIRM}/passkey/answer", "back": to_confirm(back).location}
    return prompt_page("passkey_sign_in", prompt, values)


async def submit_passkey(request: PageRequest) -> Answer:
    back = safe_path(request.form.get("next"))
    try:
        proved = await second_factor.confirm_passkey(
            request.storage,
            request.vault,
            passkeys.relying_party(request.url),
            request.viewer.session,
            origin_of(request),
            reference=request.form.get("reference", ""),
            answer=request.form.get("answer", ""),
        )
    except AccountRefusedError as error:
        return await refused(request, back, error)
    return confirmed(request, proved, back)


async def leave(request: PageRequest) -> Answer:
    """Leads somebody who loads the page of an answer again to the page of its form."""
    return SeeOther(CONFIRM)


def confirmed(request: PageRequest, proved: StartedSession, back: str) -> SeeOther:
    """Gives the browser the new token of its session, and leads back."""
    return SeeOther(back, cookie=new_cookie(proved.token, proved.session, request.now_us))


async def refused(request: PageRequest, back: str, error: AccountRefusedError) -> Page:
    """Returns the page again, with the reason."""
    return refused_page(_PAGE, await _values(request, back), error)


async def _values(request: PageRequest, back: str) -> dict[str, Any]:
    choices = await second_factor.proof_choices(request.storage, request.viewer.account.id, request.settings.oidc)
    return {"next": back, "choices": choices}

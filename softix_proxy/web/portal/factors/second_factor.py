"""The page for the second factor of somebody who gave the right password, and sign-in by a passkey alone."""

from __future__ import annotations

from typing import Any

from softix_proxy.domain.accounts.refusals import AccountRefusal, AccountRefusedError
from softix_proxy.domain.accounts.sessions import Session
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.operations.accounts import passkeys, second_factor
from softix_proxy.web.portal.access.refusals import refused_page
from softix_proxy.web.portal.access.sign_in import entered
from softix_proxy.web.portal.core.page import Answer, Page, PageRequest, SeeOther
from softix_proxy.web.portal.core.return_path import safe_path, with_return
from softix_proxy.web.portal.core.steps import SECOND_FACTOR, SIGN_IN
from softix_proxy.web.portal.factors.factor_requests import origin_of
from softix_proxy.web.portal.factors.passkey_script import no_passkeys_page, prompt_page

_PAGE, _PASSKEY_PAGE = "second_factor", "passkey_sign_in"
_ENDED = frozenset((AccountRefusal.SESSION_ENDED, AccountRefusal.DISABLED))
"""The reasons for which only a new sign-in helps."""


async def show(request: PageRequest) -> Answer:
    back = safe_path(request.query.get("next"))
    session = _pending(request)
    if session is None:
        return SeeOther(back if request.is_signed_in else SIGN_IN)
    return Page(_PAGE, {**await _values(request, session, back), "problem": None})


async def submit(request: PageRequest) -> Answer:
    back = safe_path(request.form.get("next"))
    session = _pending(request)
    if session is None:
        return SeeOther(with_return(SIGN_IN, back))
    try:
        done = await second_factor.prove_code(
            request.storage,
            request.vault,
            session,
            request.form.get("code", ""),
            origin_of(request),
            request.settings.portal,
        )
    except AccountRefusedError as error:
        return await _refused(request, session, back, error)
    return entered(request, done, back)


async def ask_passkey(request: PageRequest) -> Answer:
    """Asks the browser for a passkey of the account, as its second factor."""
    back = safe_path(request.form.get("next"))
    session = _pending(request)
    if session is None:
        return SeeOther(with_return(SIGN_IN, back))
    party = passkeys.relying_party(request.url)
    prompt = await passkeys.begin_second_factor(request.storage, request.vault, party, session)
    if prompt is None:
        return SeeOther(with_return(SECOND_FACTOR, back))
    return prompt_page(
        _PASSKEY_PAGE, prompt, {"next": back, "to": f"{SECOND_FACTOR}/passkey/answer", "back": SECOND_FACTOR}
    )


async def submit_passkey(request: PageRequest) -> Answer:
    back = safe_path(request.form.get("next"))
    session = _pending(request)
    if session is None:
        return SeeOther(with_return(SIGN_IN, back))
    try:
        done = await second_factor.prove_passkey(
            request.storage,
            request.vault,
            passkeys.relying_party(request.url),
            session,
            origin_of(request),
            request.settings.portal,
            reference=request.form.get("reference", ""),
            answer=request.form.get("answer", ""),
        )
    except AccountRefusedError as error:
        return await _refused(request, session, back, error)
    return entered(request, done, back)


async def ask_any_passkey(request: PageRequest) -> Answer:
    """Asks the browser for any passkey of this site. Nobody has to say who they are."""
    back = safe_path(request.form.get("next"))
    try:
        party = passkeys.relying_party(request.url)
        prompt = await passkeys.begin_sign_in(request.storage, request.vault, party, request.address)
    except FailureError as error:
        return no_passkeys_page(error)
    return prompt_page(_PASSKEY_PAGE, prompt, {"next": back, "to": f"{SIGN_IN}/passkey/answer", "back": SIGN_IN})


async def submit_any_passkey(request: PageRequest) -> Answer:
    back = safe_path(request.form.get("next"))
    try:
        done = await second_factor.sign_in_by_passkey(
            request.storage,
            request.vault,
            passkeys.relying_party(request.url),
            origin_of(request),
            request.settings.portal,
            reference=request.form.get("reference", ""),
            answer=request.form.get("answer", ""),
            replaces=request.cookie,
        )
    except AccountRefusedError as error:
        return refused_page("sign_in_failed", {}, error)
    return entered(request, done, back)


async def leave(request: PageRequest) -> Answer:
    """Leads somebody who loads the page of an answer again to the page of its form."""
    return SeeOther(SECOND_FACTOR if _pending(request) is not None else SIGN_IN)


def _pending(request: PageRequest) -> Session | None:
    """Returns the session that waits for its second factor. None if there is none, or if it waits no more."""
    session = request.session
    return session if session is not None and session.is_pending else None


async def _values(request: PageRequest, session: Session, back: str) -> dict[str, Any]:
    known = await second_factor.choices(request.storage, session)
    return {
        "next": back,
        "has_app": known.totp is not None,
        "has_passkey": bool(known.passkeys),
        "has_codes": known.recovery_codes > 0,
    }


async def _refused(request: PageRequest, session: Session, back: str, error: AccountRefusedError) -> Answer:
    if error.reason in _ENDED:
        return SeeOther(with_return(SIGN_IN, back))
    return refused_page(_PAGE, await _values(request, session, back), error)

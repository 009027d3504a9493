"""The way to an OpenID provider and back.

A person signs in by it. Who is signed in links it with the account, or proves by it again who it is.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping

from softix_proxy.domain.accounts.ceremonies import CeremonyKind
from softix_proxy.domain.accounts.federated_identities import OpenIdProvider
from softix_proxy.domain.accounts.refusals import AccountRefusal, AccountRefusedError
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.core.secret_tokens import new_token
from softix_proxy.operations.accounts import ceremonies, federated_identities, oidc, second_factor
from softix_proxy.operations.accounts.oidc import OidcAnswer
from softix_proxy.web.portal.access.refusals import refused_page
from softix_proxy.web.portal.access.sign_in import entered
from softix_proxy.web.portal.core.page import Answer, NewCookie, Page, PageRequest, SeeOther
from softix_proxy.web.portal.core.return_path import safe_path
from softix_proxy.web.portal.core.steps import FACTORS
from softix_proxy.web.portal.factors.confirmation import confirmed, refused
from softix_proxy.web.portal.factors.factor_requests import origin_of

log = logging.getLogger("softix.portal")
_FAILED_PAGE = "sign_in_failed"
_BAD_GATEWAY = 502


async def start(request: PageRequest) -> Answer:
    """Sends the browser to the provider. It gets a cookie that opens nothing, by which it is known when it returns."""
    if request.is_signed_in:
        return SeeOther(FACTORS)
    token = new_token()
    back = safe_path(request.query.get("next"))
    answer = await _begin(request, CeremonyKind.OIDC_SIGN_IN, ceremonies.digest_of(token), back)
    if isinstance(answer, SeeOther):
        return answer._replace(cookie=NewCookie(token, ceremonies.LIFETIME_S))
    return answer


async def start_link(request: PageRequest) -> Answer:
    """Shows the link to the provider, in order to link what it says with the account.

    It is a link and no redirect of the form: a provider may lead on to further sites, which `form-action` would forbid.
    """
    viewer = request.viewer
    answer = await _begin(request, CeremonyKind.OIDC_LINK, viewer.session.digest, FACTORS, viewer.account.id)
    return Page("oidc_continue", {"to": answer.location}) if isinstance(answer, SeeOther) else answer


async def start_confirmation(request: PageRequest) -> Answer:
    """Sends the browser to the provider, which asks the person again who it is."""
    viewer, back = request.viewer, safe_path(request.query.get("next"))
    return await _begin(request, CeremonyKind.OIDC_CONFIRMATION, viewer.session.digest, back, viewer.account.id)


async def callback(request: PageRequest) -> Answer:
    """Takes the browser back. Who is signed in gets a link or proves who it is, and everybody else signs in."""
    kinds = (
        (CeremonyKind.OIDC_LINK, CeremonyKind.OIDC_CONFIRMATION)
        if request.is_signed_in
        else (CeremonyKind.OIDC_SIGN_IN,)
    )
    browser = request.viewer.session.digest if request.is_signed_in else ceremonies.digest_of(request.cookie)
    try:
        answer = await oidc.finish(
            request.storage,
            request.vault,
            _provider(request),
            request.settings.oidc,
            request.url,
            kinds,
            browser=browser,
            state=request.query.get("state", ""),
            code=request.query.get("code", ""),
            answered_issuer=request.query.get("iss"),
        )
        return await _ENDS[answer.kind](request, answer)
    except AccountRefusedError as error:
        return refused_page(_FAILED_PAGE, {}, error)
    except FailureError as error:
        return _failed(error)


async def _begin(
    request: PageRequest, kind: CeremonyKind, browser: bytes, next_path: str, account_id: int | None = None
) -> Answer:
    try:
        to = await oidc.begin(
            request.storage,
            request.vault,
            _provider(request),
            request.settings.oidc,
            request.url,
            kind,
            browser=browser,
            address=request.address,
            account_id=account_id,
            next_path=next_path,
        )
    except AccountRefusedError as error:
        return refused_page(_FAILED_PAGE, {}, error)
    except FailureError as error:
        return _failed(error)
    return SeeOther(to)


async def _sign_in(request: PageRequest, answer: OidcAnswer) -> Answer:
    done = await second_factor.sign_in_by_oidc(
        request.storage,
        request.vault,
        request.settings.oidc,
        answer,
        origin_of(request),
        request.settings.portal,
        replaces=request.cookie,
    )
    return entered(request, done, safe_path(answer.next_path))


async def _link(request: PageRequest, answer: OidcAnswer) -> Answer:
    viewer = request.viewer
    _require_own(request, answer)
    await federated_identities.link(
        request.storage, request.vault, viewer.session, viewer.account, answer.verified, origin_of(request)
    )
    return SeeOther(FACTORS, "flash.factor_added")


async def _confirm(request: PageRequest, answer: OidcAnswer) -> Answer:
    _require_own(request, answer)
    back = safe_path(answer.next_path)
    try:
        proved = await federated_identities.confirm(
            request.storage, request.settings.oidc, request.viewer.session, answer.verified, origin_of(request)
        )
    except AccountRefusedError as error:
        return await refused(request, back, error)
    return confirmed(request, proved, back)


_ENDS: Mapping[CeremonyKind, Callable[[PageRequest, OidcAnswer], Awaitable[Answer]]] = {
    CeremonyKind.OIDC_SIGN_IN: _sign_in,
    CeremonyKind.OIDC_LINK: _link,
    CeremonyKind.OIDC_CONFIRMATION: _confirm,
}
"""How each way ends."""


def _require_own(request: PageRequest, answer: OidcAnswer) -> None:
    if answer.account_id != request.viewer.account.id:
        raise AccountRefusedError(AccountRefusal.CEREMONY_ENDED)


def _provider(request: PageRequest) -> OpenIdProvider:
    if request.openid is None:
        raise AccountRefusedError(AccountRefusal.PROVIDER_MISSING)
    return request.openid


def _failed(error: FailureError) -> Page:
    """Tells the person that it did not work, and the operator why. The reason quotes nothing of what was exchanged."""
    log.warning("sign-in at the OpenID provider failed: %s", error.message)
    return Page(_FAILED_PAGE, {"problem": "sign_in_failed.provider"}, _BAD_GATEWAY)

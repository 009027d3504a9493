"""The pages on which a person adds and removes second factors. Codes and secrets are shown once, and never in a URL."""

from __future__ import annotations

import asyncio
from typing import Any

from markupsafe import Markup

from softix_proxy.domain.accounts.refusals import AccountRefusal, AccountRefusedError
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.operations.accounts import factors, federated_identities, passkeys, second_factor
from softix_proxy.operations.accounts.factors import Enrolled
from softix_proxy.web.portal.access.refusals import refused_page
from softix_proxy.web.portal.core.page import Answer, Page, PageRequest, SeeOther
from softix_proxy.web.portal.core.session_cookie import new_cookie
from softix_proxy.web.portal.core.steps import FACTORS
from softix_proxy.web.portal.factors.factor_requests import origin_of
from softix_proxy.web.portal.factors.passkey_script import no_passkeys_page, prompt_page

_APP_PAGE = f"{FACTORS}/app"


async def show(request: PageRequest) -> Answer:
    return Page("factors", {**await _values(request), "problem": None})


async def begin_app(request: PageRequest) -> Answer:
    """Makes the secret of an authenticator app. The next page shows it until a code of the app is confirmed."""
    try:
        await factors.begin_totp(request.storage, request.vault, request.viewer.session)
    except AccountRefusedError as error:
        return await _refused(request, error)
    return SeeOther(_APP_PAGE)


async def show_app(request: PageRequest) -> Answer:
    try:
        return Page("factors_app", {**await _app_values(request), "problem": None})
    except AccountRefusedError:
        return SeeOther(FACTORS)


async def confirm_app(request: PageRequest) -> Answer:
    try:
        done = await factors.confirm_totp(
            request.storage,
            request.vault,
            request.viewer.session,
            request.viewer.account,
            request.form.get("code", ""),
            origin_of(request),
        )
    except AccountRefusedError as error:
        if error.reason is AccountRefusal.CODE_WRONG:
            return refused_page("factors_app", await _app_values(request), error)
        return await _refused(request, error)
    return _enrolled(request, done)


async def remove_app(request: PageRequest) -> Answer:
    return await _remove(request, None)


async def remove_passkey(request: PageRequest) -> Answer:
    return await _remove(request, request.parts["passkey"])


async def _remove(request: PageRequest, passkey: str | None) -> Answer:
    viewer = request.viewer
    try:
        await factors.remove(
            request.storage,
            request.vault,
            viewer.session,
            viewer.account,
            origin_of(request),
            passkey=passkey,
            roles=request.settings.portal.second_factor_roles,
        )
    except AccountRefusedError as error:
        return await _refused(request, error)
    return SeeOther(FACTORS, "flash.factor_removed")


async def ask_passkey(request: PageRequest) -> Answer:
    """Asks the browser to make a passkey."""
    try:
        prompt = await passkeys.begin_enrolment(
            request.storage,
            request.vault,
            passkeys.relying_party(request.url),
            request.viewer.session,
            request.viewer.account,
        )
    except AccountRefusedError as error:
        return await _refused(request, error)
    except FailureError as error:
        return no_passkeys_page(error)
    return prompt_page("factors_passkey", prompt, {"label": request.device})


async def add_passkey(request: PageRequest) -> Answer:
    try:
        done = await passkeys.finish_enrolment(
            request.storage,
            request.vault,
            passkeys.relying_party(request.url),
            request.viewer.session,
            request.viewer.account,
            origin_of(request),
            reference=request.form.get("reference", ""),
            answer=request.form.get("answer", ""),
            label=request.form.get("label", ""),
        )
    except AccountRefusedError as error:
        return await _refused(request, error)
    return _enrolled(request, done)


async def make_codes(request: PageRequest) -> Answer:
    """Makes new recovery codes, and shows them on the answer itself, so that no later page has them."""
    viewer = request.viewer
    try:
        codes = await factors.new_recovery_codes(
            request.storage, request.vault, viewer.session, viewer.account, origin_of(request)
        )
    except AccountRefusedError as error:
        return await _refused(request, error)
    return Page("recovery_codes", {"codes": codes, "is_new": False})


async def unlink(request: PageRequest) -> Answer:
    viewer = request.viewer
    try:
        await federated_identities.unlink(
            request.storage,
            request.vault,
            viewer.session,
            viewer.account,
            request.form.get("issuer", ""),
            origin_of(request),
        )
    except AccountRefusedError as error:
        return await _refused(request, error)
    return SeeOther(FACTORS, "flash.factor_removed")


async def leave(request: PageRequest) -> Answer:
    """Leads somebody who loads the page of an answer again to the list."""
    return SeeOther(FACTORS)


def _enrolled(request: PageRequest, done: Enrolled) -> Answer:
    cookie = new_cookie(done.started.token, done.started.session, request.now_us)
    if done.recovery_codes:
        return Page("recovery_codes", {"codes": done.recovery_codes, "is_new": True}, cookie=cookie)
    return SeeOther(FACTORS, "flash.factor_added", cookie=cookie)


async def _refused(request: PageRequest, error: AccountRefusedError) -> Page:
    return refused_page("factors", await _values(request), error)


async def _values(request: PageRequest) -> dict[str, Any]:
    roles = request.settings.portal.second_factor_roles
    found = await second_factor.overview(request.storage, request.viewer.account, roles)
    return {"factors": found.factors, "identities": found.identities, "is_needed": found.is_needed}


async def _app_values(request: PageRequest) -> dict[str, Any]:
    site = f"softix {request.url.host}"
    viewer = request.viewer
    shown = await factors.pending_totp(
        request.storage, request.vault, viewer.session, account=viewer.account, site=site
    )
    groups = " ".join(shown.secret[at : at + 4] for at in range(0, len(shown.secret), 4))
    svg = await asyncio.to_thread(_qr_code, shown.uri)  # it takes 10 ms, and the first one imports the library
    return {"qr_code": Markup(svg), "secret": groups}  # noqa: S704 # it is softix's own SVG, and the text is not in it


def _qr_code(uri: str) -> str:
    from softix_proxy.exports.core.qr_code import qr_code_svg

    return qr_code_svg(uri)

"""The page to register. It exists only where people may register, and knows only the fields that it shows.

A field that a form invents, such as `role`, is not read by anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from softix_proxy.domain.accounts.refusals import AccountRefusal, AccountRefusedError
from softix_proxy.operations.accounts import registration
from softix_proxy.operations.accounts.registration import PublishedPolicy, RegistrationForm
from softix_proxy.web.portal.access.refusals import refused_page
from softix_proxy.web.portal.core.error_pages import missing
from softix_proxy.web.portal.core.page import Answer, Page, PageRequest, SeeOther
from softix_proxy.web.portal.core.return_path import with_return
from softix_proxy.web.portal.core.steps import SIGN_IN

_YES = "yes"


async def show(request: PageRequest) -> Answer:
    if request.is_signed_in:
        return SeeOther("/")
    invitation = request.query.get("invitation", "")
    _require_open(request, invitation)
    return Page("register", _values(request, RegistrationForm("", "", "", False, False, invitation)))


async def submit(request: PageRequest) -> Answer:
    """Registers. The answer is the same whether or not somebody has the address; the message tells them apart."""
    form, policies = request.form, _policies(request)
    filled = RegistrationForm(
        name=form.get("name", ""),
        email=form.get("email", ""),
        password=form.get("password", ""),
        is_of_age=form.get("of_age") == _YES,
        accepts=form.get("accepts") == _YES or not policies,
        invitation=form.get("invitation", ""),
    )
    _require_open(request, filled.invitation)
    try:
        account = await registration.register(
            request.storage,
            request.vault,
            request.hasher,
            filled,
            portal=request.settings.portal,
            policies=policies,
            address=request.address,
            device=request.device,
        )
    except AccountRefusedError as error:
        if error.reason is AccountRefusal.REGISTRATION_CLOSED:
            raise missing() from None
        return refused_page("register", _values(request, filled), error)
    if account is not None:  # the invitation waits to be accepted
        return SeeOther(with_return(SIGN_IN, f"/invitations/{filled.invitation}"), "flash.registered")
    return Page("link_sent", {"about": "register"})


def _require_open(request: PageRequest, invitation: str) -> None:
    """Raises PageRefusedError where the page does not exist."""
    registration = request.settings.portal.registration
    if registration == "closed" or (registration == "invitation" and not invitation):
        raise missing()


def _policies(request: PageRequest) -> Sequence[PublishedPolicy]:
    """Returns what is accepted. The version is the address of the text, which another text must not have."""
    portal = request.settings.portal
    named = (("terms", portal.terms_url), ("privacy", portal.privacy_url))
    return [PublishedPolicy(name, url) for name, url in named if url is not None]


def _values(request: PageRequest, form: RegistrationForm) -> dict[str, Any]:
    return {
        "name": form.name,
        "email": form.email,
        "of_age": form.is_of_age,
        "accepts": form.accepts and bool(_policies(request)),
        "invitation": form.invitation,
        "policies": _policies(request),
        "problem": None,
    }

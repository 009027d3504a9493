"""The routes to sign in and to register, and those of one's own account."""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.web.portal.access import (
    chosen_organisation,
    own_account,
    own_sessions,
    registration,
    resets,
    sign_in,
    verification,
)
from softix_proxy.web.portal.core.page import Access, PortalRoute
from softix_proxy.web.portal.core.steps import SIGN_IN

_PUBLIC, _SIGNED_IN, _RECENT = Access.PUBLIC, Access.SIGNED_IN, Access.RECENT
ROUTES: Sequence[PortalRoute] = (
    PortalRoute("GET", SIGN_IN, sign_in.show, _PUBLIC, "account.sign-in"),
    PortalRoute("POST", SIGN_IN, sign_in.submit, _PUBLIC, "account.sign-in"),
    PortalRoute("POST", "/sign-out", sign_in.sign_out, _PUBLIC, "account.sign-out"),
    PortalRoute("GET", "/register", registration.show, _PUBLIC, "account.register"),
    PortalRoute("POST", "/register", registration.submit, _PUBLIC, "account.register"),
    PortalRoute("GET", "/verify", verification.show, _PUBLIC, "account.verify"),
    PortalRoute("POST", "/verify", verification.submit, _PUBLIC, "account.verify"),
    PortalRoute("POST", "/verify/again", verification.resend, _PUBLIC, "account.verify"),
    PortalRoute("GET", "/reset", resets.show, _PUBLIC, "account.reset"),
    PortalRoute("POST", "/reset", resets.submit, _PUBLIC, "account.reset"),
    PortalRoute("GET", "/account", own_account.show_profile, _SIGNED_IN, "account.show"),
    PortalRoute("POST", "/account", own_account.save_profile, _SIGNED_IN, "account.update"),
    PortalRoute("GET", "/account/email", own_account.show_email, _SIGNED_IN, "account.show"),
    PortalRoute("POST", "/account/email", own_account.request_email, _RECENT, "account.change-email"),
    PortalRoute("POST", "/account/email/confirm", own_account.confirm_email, _SIGNED_IN, "account.change-email"),
    PortalRoute("GET", "/account/password", own_account.show_password, _SIGNED_IN, "account.show"),
    PortalRoute("POST", "/account/password", own_account.change_password, _SIGNED_IN, "account.change-password"),
    PortalRoute("GET", "/account/sessions", own_sessions.show, _SIGNED_IN, "account.show"),
    PortalRoute("POST", "/account/sessions/end-others", own_sessions.end_others, _SIGNED_IN, "account.end-sessions"),
    PortalRoute("POST", "/account/sessions/{id}/end", own_sessions.end, _SIGNED_IN, "account.end-sessions"),
    PortalRoute("GET", "/organisation", chosen_organisation.show, _SIGNED_IN, "account.show"),
    PortalRoute("POST", "/organisation", chosen_organisation.choose, _SIGNED_IN, "account.choose-organisation"),
)

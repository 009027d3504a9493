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
    PortalRoute("GET", SIGN_IN, sign_in.show, _PUBLIC),
    PortalRoute("POST", SIGN_IN, sign_in.submit, _PUBLIC),
    PortalRoute("POST", "/sign-out", sign_in.sign_out, _PUBLIC),
    PortalRoute("GET", "/register", registration.show, _PUBLIC),
    PortalRoute("POST", "/register", registration.submit, _PUBLIC),
    PortalRoute("GET", "/verify", verification.show, _PUBLIC),
    PortalRoute("POST", "/verify", verification.submit, _PUBLIC),
    PortalRoute("POST", "/verify/again", verification.resend, _PUBLIC),
    PortalRoute("GET", "/reset", resets.show, _PUBLIC),
    PortalRoute("POST", "/reset", resets.submit, _PUBLIC),
    PortalRoute("GET", "/account", own_account.show_profile, _SIGNED_IN),
    PortalRoute("POST", "/account", own_account.save_profile, _SIGNED_IN),
    PortalRoute("GET", "/account/email", own_account.show_email, _SIGNED_IN),
    PortalRoute("POST", "/account/email", own_account.request_email, _RECENT),
    PortalRoute("POST", "/account/email/confirm", own_account.confirm_email, _SIGNED_IN),
    PortalRoute("GET", "/account/password", own_account.show_password, _SIGNED_IN),
    PortalRoute("POST", "/account/password", own_account.change_password, _SIGNED_IN),
    PortalRoute("GET", "/account/sessions", own_sessions.show, _SIGNED_IN),
    PortalRoute("POST", "/account/sessions/end-others", own_sessions.end_others, _SIGNED_IN),
    PortalRoute("POST", "/account/sessions/{id}/end", own_sessions.end, _SIGNED_IN),
    PortalRoute("GET", "/organisation", chosen_organisation.show, _SIGNED_IN),
    PortalRoute("POST", "/organisation", chosen_organisation.choose, _SIGNED_IN),
)

"""The URLs of second factors, passkeys and sign-in at an OpenID provider."""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.web.portal.core.page import Access, PortalRoute
from softix_proxy.web.portal.factors import account_factors, openid, passkey_script, second_factor

_PUBLIC, _SIGNED_IN, _RECENT = Access.PUBLIC, Access.SIGNED_IN, Access.RECENT

ROUTES: Sequence[PortalRoute] = (
    PortalRoute("GET", passkey_script.PATH, passkey_script.show_script, _PUBLIC),
    PortalRoute("GET", "/sign-in/second-factor", second_factor.show, _PUBLIC),
    PortalRoute("POST", "/sign-in/second-factor", second_factor.submit, _PUBLIC),
    PortalRoute("GET", "/sign-in/second-factor/passkey", second_factor.leave, _PUBLIC),
    PortalRoute("POST", "/sign-in/second-factor/passkey", second_factor.ask_passkey, _PUBLIC),
    PortalRoute("GET", "/sign-in/second-factor/passkey/answer", second_factor.leave, _PUBLIC),
    PortalRoute("POST", "/sign-in/second-factor/passkey/answer", second_factor.submit_passkey, _PUBLIC),
    PortalRoute("GET", "/sign-in/passkey", second_factor.leave, _PUBLIC),
    PortalRoute("POST", "/sign-in/passkey", second_factor.ask_any_passkey, _PUBLIC),
    PortalRoute("GET", "/sign-in/passkey/answer", second_factor.leave, _PUBLIC),
    PortalRoute("POST", "/sign-in/passkey/answer", second_factor.submit_any_passkey, _PUBLIC),
    PortalRoute("GET", "/account/factors", account_factors.show, _SIGNED_IN),
    PortalRoute("GET", "/account/factors/app", account_factors.show_app, _RECENT),
    PortalRoute("POST", "/account/factors/app", account_factors.begin_app, _RECENT),
    PortalRoute("GET", "/account/factors/app/confirm", account_factors.leave, _SIGNED_IN),
    PortalRoute("POST", "/account/factors/app/confirm", account_factors.confirm_app, _RECENT),
    PortalRoute("GET", "/account/factors/app/remove", account_factors.leave, _SIGNED_IN),
    PortalRoute("POST", "/account/factors/app/remove", account_factors.remove_app, _RECENT),
    PortalRoute("GET", "/account/factors/passkeys", account_factors.leave, _SIGNED_IN),
    PortalRoute("POST", "/account/factors/passkeys", account_factors.ask_passkey, _RECENT),
    PortalRoute("GET", "/account/factors/passkeys/answer", account_factors.leave, _SIGNED_IN),
    PortalRoute("POST", "/account/factors/passkeys/answer", account_factors.add_passkey, _RECENT),
    PortalRoute("POST", "/account/factors/passkeys/{passkey}/remove", account_factors.remove_passkey, _RECENT),
    PortalRoute("GET", "/account/factors/codes", account_factors.leave, _SIGNED_IN),
    PortalRoute("POST", "/account/factors/codes", account_factors.make_codes, _RECENT),
    PortalRoute("GET", "/account/factors/link", account_factors.leave, _SIGNED_IN),
    PortalRoute("POST", "/account/factors/link", openid.start_link, _RECENT),
    PortalRoute("GET", "/account/factors/unlink", account_factors.leave, _SIGNED_IN),
    PortalRoute("POST", "/account/factors/unlink", account_factors.unlink, _RECENT),
    PortalRoute("GET", "/oidc/start", openid.start, _PUBLIC),
    PortalRoute("GET", "/oidc/callback", openid.callback, _PUBLIC),
)

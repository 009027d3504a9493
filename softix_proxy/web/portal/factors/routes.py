"""The URLs of second factors, passkeys, sign-in at an OpenID provider, and the proof of who it is."""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.operations.accounts.oidc import CALLBACK
from softix_proxy.web.portal.core.page import Access, PortalRoute
from softix_proxy.web.portal.core.steps import CONFIRM, FACTORS, SECOND_FACTOR, SIGN_IN
from softix_proxy.web.portal.factors import account_factors, confirmation, openid, passkey_script, second_factor

_PUBLIC, _SIGNED_IN, _RECENT = Access.PUBLIC, Access.SIGNED_IN, Access.RECENT

ROUTES: Sequence[PortalRoute] = (
    PortalRoute("GET", passkey_script.PATH, passkey_script.show_script, _PUBLIC, "page.show"),
    PortalRoute("GET", SECOND_FACTOR, second_factor.show, _PUBLIC, "account.sign-in"),
    PortalRoute("POST", SECOND_FACTOR, second_factor.submit, _PUBLIC, "account.sign-in"),
    PortalRoute("GET", f"{SECOND_FACTOR}/passkey", second_factor.leave, _PUBLIC, "account.sign-in"),
    PortalRoute("POST", f"{SECOND_FACTOR}/passkey", second_factor.ask_passkey, _PUBLIC, "account.sign-in"),
    PortalRoute("GET", f"{SECOND_FACTOR}/passkey/answer", second_factor.leave, _PUBLIC, "account.sign-in"),
    PortalRoute("POST", f"{SECOND_FACTOR}/passkey/answer", second_factor.submit_passkey, _PUBLIC, "account.sign-in"),
    PortalRoute("GET", f"{SIGN_IN}/passkey", second_factor.leave, _PUBLIC, "account.sign-in"),
    PortalRoute("POST", f"{SIGN_IN}/passkey", second_factor.ask_any_passkey, _PUBLIC, "account.sign-in"),
    PortalRoute("GET", f"{SIGN_IN}/passkey/answer", second_factor.leave, _PUBLIC, "account.sign-in"),
    PortalRoute("POST", f"{SIGN_IN}/passkey/answer", second_factor.submit_any_passkey, _PUBLIC, "account.sign-in"),
    PortalRoute("GET", CONFIRM, confirmation.show, _SIGNED_IN, "account.confirm"),
    PortalRoute("POST", CONFIRM, confirmation.submit_password, _SIGNED_IN, "account.confirm"),
    PortalRoute("GET", f"{CONFIRM}/passkey", confirmation.leave, _SIGNED_IN, "account.confirm"),
    PortalRoute("POST", f"{CONFIRM}/passkey", confirmation.ask_passkey, _SIGNED_IN, "account.confirm"),
    PortalRoute("GET", f"{CONFIRM}/passkey/answer", confirmation.leave, _SIGNED_IN, "account.confirm"),
    PortalRoute("POST", f"{CONFIRM}/passkey/answer", confirmation.submit_passkey, _SIGNED_IN, "account.confirm"),
    PortalRoute("GET", f"{CONFIRM}/oidc", openid.start_confirmation, _SIGNED_IN, "account.confirm"),
    PortalRoute("GET", FACTORS, account_factors.show, _SIGNED_IN, "account.show"),
    PortalRoute("GET", f"{FACTORS}/app", account_factors.show_app, _RECENT, "account.add-factor"),
    PortalRoute("POST", f"{FACTORS}/app", account_factors.begin_app, _RECENT, "account.add-factor"),
    PortalRoute("GET", f"{FACTORS}/app/confirm", account_factors.leave, _SIGNED_IN, "account.add-factor"),
    PortalRoute("POST", f"{FACTORS}/app/confirm", account_factors.confirm_app, _RECENT, "account.add-factor"),
    PortalRoute("GET", f"{FACTORS}/app/remove", account_factors.leave, _SIGNED_IN, "account.remove-factor"),
    PortalRoute("POST", f"{FACTORS}/app/remove", account_factors.remove_app, _RECENT, "account.remove-factor"),
    PortalRoute("GET", f"{FACTORS}/passkeys", account_factors.leave, _SIGNED_IN, "account.add-factor"),
    PortalRoute("POST", f"{FACTORS}/passkeys", account_factors.ask_passkey, _RECENT, "account.add-factor"),
    PortalRoute("GET", f"{FACTORS}/passkeys/answer", account_factors.leave, _SIGNED_IN, "account.add-factor"),
    PortalRoute("POST", f"{FACTORS}/passkeys/answer", account_factors.add_passkey, _RECENT, "account.add-factor"),
    PortalRoute(
        "POST",
        f"{FACTORS}/passkeys/{{passkey}}/remove",
        account_factors.remove_passkey,
        _RECENT,
        "account.remove-factor",
    ),
    PortalRoute("GET", f"{FACTORS}/codes", account_factors.leave, _SIGNED_IN, "account.make-codes"),
    PortalRoute("POST", f"{FACTORS}/codes", account_factors.make_codes, _RECENT, "account.make-codes"),
    PortalRoute("GET", f"{FACTORS}/link", account_factors.leave, _SIGNED_IN, "account.link-identity"),
    PortalRoute("POST", f"{FACTORS}/link", openid.start_link, _RECENT, "account.link-identity"),
    PortalRoute("GET", f"{FACTORS}/unlink", account_factors.leave, _SIGNED_IN, "account.unlink-identity"),
    PortalRoute("POST", f"{FACTORS}/unlink", account_factors.unlink, _RECENT, "account.unlink-identity"),
    PortalRoute("GET", "/oidc/start", openid.start, _PUBLIC, "account.sign-in"),
    PortalRoute("GET", CALLBACK, openid.callback, _PUBLIC, "account.sign-in"),
)

"""The reasons why a person cannot do what was asked, each with a fixed text that quotes nothing of what was sent.

Pages show their own text for a reason, and commands show the text of this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from softix_proxy.domain.core.errors import BadInputError


class AccountRefusal(StrEnum):
    WRONG_PASSWORD = "wrong_password"  # noqa: S105 # this is the name of a reason, as below
    NOT_VERIFIED = "not_verified"
    DISABLED = "disabled"
    SESSION_ENDED = "session_ended"
    LINK_ENDED = "link_ended"
    REGISTRATION_CLOSED = "registration_closed"
    INVITATION_NEEDED = "invitation_needed"
    TOO_YOUNG = "too_young"
    POLICIES_NOT_ACCEPTED = "policies_not_accepted"
    NAME_UNUSABLE = "name_unusable"
    EMAIL_UNUSABLE = "email_unusable"
    EMAIL_UNCHANGED = "email_unchanged"
    EMAIL_TAKEN = "email_taken"
    PASSWORD_NEEDED = "password_needed"  # noqa: S105
    PASSWORD_TOO_SHORT = "password_too_short"  # noqa: S105
    PASSWORD_TOO_LONG = "password_too_long"  # noqa: S105
    PASSWORD_NOT_TEXT = "password_not_text"  # noqa: S105
    PASSWORD_COMMON = "password_common"  # noqa: S105
    PASSWORD_PERSONAL = "password_personal"  # noqa: S105
    PASSWORD_GUESSABLE = "password_guessable"  # noqa: S105
    CODE_WRONG = "code_wrong"
    SESSION_WEAK = "session_weak"
    PROOF_OLD = "proof_old"
    CEREMONY_ENDED = "ceremony_ended"
    FACTOR_NEEDED = "factor_needed"
    FACTOR_MISSING = "factor_missing"
    PASSKEY_REFUSED = "passkey_refused"
    PASSKEY_NAME = "passkey_name"
    PASSKEYS_MANY = "passkeys_many"
    PROVIDER_MISSING = "provider_missing"
    PROVIDER_REFUSED = "provider_refused"
    PROVIDER_PROOF_OLD = "provider_proof_old"
    EMAIL_UNVERIFIED = "email_unverified"
    DOMAIN_FORBIDDEN = "domain_forbidden"
    ROLE_MISSING = "role_missing"
    ACCOUNT_MISSING = "account_missing"
    LINK_FIRST = "link_first"
    LINKED_ELSEWHERE = "linked_elsewhere"
    IDENTITY_UNLINKED = "identity_unlinked"


_TEXTS: Mapping[AccountRefusal, tuple[str, str]] = {
    AccountRefusal.WRONG_PASSWORD: ("the e-mail or the password is wrong", "try again, or set a new password"),
    AccountRefusal.NOT_VERIFIED: ("the e-mail is not confirmed yet", "open the link in the message that was sent now"),
    AccountRefusal.DISABLED: ("the account is disabled", "ask the operator"),
    AccountRefusal.SESSION_ENDED: ("the session has ended", "sign in again"),
    AccountRefusal.LINK_ENDED: ("the link was used, replaced, or is too old", "ask for a new one"),
    AccountRefusal.REGISTRATION_CLOSED: ("nobody can register here", "ask the operator for an account"),
    AccountRefusal.INVITATION_NEEDED: ("only people who were invited can register", "open the link of the invitation"),
    AccountRefusal.TOO_YOUNG: ("an account is for people of 16 years or more", "confirm your age"),
    AccountRefusal.POLICIES_NOT_ACCEPTED: ("the published policies are not accepted", "read and accept them"),
    AccountRefusal.NAME_UNUSABLE: ("not a usable name", "give 1 to 100 letters on one line"),
    AccountRefusal.EMAIL_UNUSABLE: ("not a usable e-mail", "give one plain address, for example ada@example.org"),
    AccountRefusal.EMAIL_UNCHANGED: ("this is the account's e-mail already", "give another one"),
    AccountRefusal.EMAIL_TAKEN: ("an account has this e-mail already", "give another one"),
    AccountRefusal.PASSWORD_NEEDED: ("there is no password yet", "choose one"),
    AccountRefusal.PASSWORD_TOO_SHORT: ("the password is too short", "take at least 8 letters, digits or signs"),
    AccountRefusal.PASSWORD_TOO_LONG: ("the password is too long", "take at most 1024 bytes"),
    AccountRefusal.PASSWORD_NOT_TEXT: ("the password is not text", "send it as UTF-8"),
    AccountRefusal.PASSWORD_COMMON: ("many people use this password", "take one of your own"),
    AccountRefusal.PASSWORD_PERSONAL: ("the password is your name or your e-mail", "take one that nobody can look up"),
    AccountRefusal.PASSWORD_GUESSABLE: ("the password is easy to guess", "add another word or two"),
    AccountRefusal.CODE_WRONG: ("the code is not right, or it was used already", "give the one that the app shows now"),
    AccountRefusal.SESSION_WEAK: ("the session did not prove the second factor", "sign in again, with it"),
    AccountRefusal.PROOF_OLD: ("the last sign-in is too long ago for this", "confirm who you are, then try again"),
    AccountRefusal.CEREMONY_ENDED: (
        "this was open for too long, was used already, or began in another browser",
        "begin again",
    ),
    AccountRefusal.FACTOR_NEEDED: ("the role needs a second factor", "add another one before you remove this one"),
    AccountRefusal.FACTOR_MISSING: ("there is no such factor", "see the list of factors"),
    AccountRefusal.PASSKEY_REFUSED: ("the passkey was not accepted", "try again, or choose another way to sign in"),
    AccountRefusal.PASSKEY_NAME: ("not a usable name for a passkey", "give 1 to 60 letters on one line"),
    AccountRefusal.PASSKEYS_MANY: ("the account has as many passkeys as it may have", "remove one that is not used"),
    AccountRefusal.PROVIDER_MISSING: ("no OpenID provider is set up", "set oidc.issuer and oidc.client_id"),
    AccountRefusal.PROVIDER_REFUSED: ("the provider signed nobody in", "begin again, or choose another way to sign in"),
    AccountRefusal.PROVIDER_PROOF_OLD: (
        "the provider does not say that the person signed in there just now",
        "choose another way, or sign out and sign in again",
    ),
    AccountRefusal.EMAIL_UNVERIFIED: (
        "the provider does not say that the e-mail is verified",
        "verify it there, then sign in again",
    ),
    AccountRefusal.DOMAIN_FORBIDDEN: ("e-mails of this domain may not sign in here", "choose another account there"),
    AccountRefusal.ROLE_MISSING: ("the provider gives the person no role here", "ask who manages it there"),
    AccountRefusal.ACCOUNT_MISSING: ("there is no account for this person", "ask the operator for an invitation"),
    AccountRefusal.LINK_FIRST: (
        "there is an account with this e-mail already",
        "sign in as usual, then link it on the page of the account",
    ),
    AccountRefusal.LINKED_ELSEWHERE: ("this identity belongs to another account", "remove it there first"),
    AccountRefusal.IDENTITY_UNLINKED: ("this identity is not linked with the account", "sign in by the one that is"),
}
"""Reason → what is wrong, and what to do."""


class AccountRefusedError(BadInputError):
    """A person cannot do this, for a reason that a page can show. Nothing was changed, or what the reason says."""

    def __init__(self, reason: AccountRefusal) -> None:
        super().__init__(*_TEXTS[reason])
        self.reason = reason

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
}
"""Reason → what is wrong, and what to do."""


class AccountRefusedError(BadInputError):
    """A person cannot do this, for a reason that a page can show. Nothing was changed, or what the reason says."""

    def __init__(self, reason: AccountRefusal) -> None:
        super().__init__(*_TEXTS[reason])
        self.reason = reason

"""The password of the mail server, sealed in the database and bound to the server and the user name."""

from __future__ import annotations

from softix_proxy.domain.core.errors import BadInputError, FailureError
from softix_proxy.domain.notices.mail_section import MailSection
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.domain.ports.vault import Vault
from softix_proxy.operations.core.bound_secret import BoundSecret

SECRET = BoundSecret("sealed_mail_password", "mail_account", "mail password")
_MOST_LETTERS = 1024


def _account(section: MailSection) -> str:
    return f"{section.user}@{section.server}"


async def set_password(storage: Storage, vault: Vault, section: MailSection, password: str) -> None:
    """Seals the password for the server and the user of the settings. Raises BadInputError.

    It opens for no other server, so that changed settings cannot send it elsewhere.
    """
    if section.host is None or section.user is None:
        raise BadInputError(
            "a password belongs to a mail server and a user name",
            "set mail.host and mail.user first, then run this again",
        )
    if not 0 < len(password) <= _MOST_LETTERS or not password.isprintable():
        raise BadInputError("not a usable password", "give one line of text")
    async with storage.writing() as unit:
        await SECRET.store(unit, vault, password, _account(section))


async def password(unit: Unit, vault: Vault, section: MailSection) -> str | None:
    """Returns the password for the server of the settings.

    None if the settings name no user. Raises FailureError if there is none, or if it was set for another server.
    """
    if section.user is None:
        return None
    sealed, account = await SECRET.load(unit)
    if sealed is None:
        raise FailureError("mail.user is set, but there is no password", "run: softix mail set-password")
    if account != _account(section):
        raise FailureError("the mail password was set for another server or user", "run: softix mail set-password")
    return vault.open_secret(sealed, *SECRET.place(account))

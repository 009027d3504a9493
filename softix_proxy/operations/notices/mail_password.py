"""The password of the mail server, sealed in the database and bound to the server and the user name."""

from __future__ import annotations

from softix_proxy.domain.core.errors import BadInputError, FailureError
from softix_proxy.domain.notices.mail_section import MailSection
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.domain.ports.vault import Vault

_SEALED, _ACCOUNT = "sealed_mail_password", "mail_account"
_MOST_LETTERS = 1024


def _account(section: MailSection) -> str:
    return f"{section.user}@{section.server}"


def _place(account: str) -> tuple[str, ...]:
    return ("instance", "mail password", account)


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
    account = _account(section)
    async with storage.writing() as unit:
        await unit.instance.set(_ACCOUNT, account.encode())
        await unit.instance.set(_SEALED, vault.seal_secret(password, *_place(account)))


async def password(unit: Unit, vault: Vault, section: MailSection) -> str | None:
    """Returns the password for the server of the settings.

    None if the settings name no user. Raises FailureError if there is none, or if it was set for another server.
    """
    if section.user is None:
        return None
    sealed, account = await _stored(unit)
    if sealed is None:
        raise FailureError("mail.user is set, but there is no password", "run: softix mail set-password")
    if account != _account(section):
        raise FailureError("the mail password was set for another server or user", "run: softix mail set-password")
    return vault.open_secret(sealed, *_place(account))


async def rewrap(storage: Storage, vault: Vault) -> bool:
    """Wraps the password anew for the current master key. Returns False if there is none, or if it is current.

    Raises FailureError.
    """
    if not await is_outstanding(storage.reading(), vault):
        return False
    async with storage.writing() as unit:
        sealed, account = await _stored(unit)
        if sealed is not None:
            await unit.instance.set(_SEALED, vault.rewrap_secret(sealed, *_place(account)))
    return True


async def is_set(unit: Unit) -> bool:
    return (await _stored(unit))[0] is not None


async def is_outstanding(unit: Unit, vault: Vault) -> bool:
    """Returns whether another master key sealed the password. Raises FailureError."""
    sealed, _ = await _stored(unit)
    return sealed is not None and vault.sealed_by(sealed) != vault.master_key_id


async def _stored(unit: Unit) -> tuple[bytes | None, str]:
    account = await unit.instance.get(_ACCOUNT)
    return await unit.instance.get(_SEALED), (account or b"").decode()

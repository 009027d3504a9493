"""What people change and see of their own account, beside what has an operation of its own."""

from __future__ import annotations

from dataclasses import replace

from softix_proxy.domain.access.identity import checked_display_name
from softix_proxy.domain.accounts.accounts import Account
from softix_proxy.domain.accounts.refusals import AccountRefusal, AccountRefusedError
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.ports.storage import Storage


def usable_name(text: str) -> str:
    """Returns the name that a person gave. Raises AccountRefusedError, which does not quote it."""
    try:
        return checked_display_name(text)
    except BadInputError:
        raise AccountRefusedError(AccountRefusal.NAME_UNUSABLE) from None


async def rename(storage: Storage, account_id: int, display_name: str) -> Account:
    """Changes the name that people see. Raises AccountRefusedError if it is none."""
    name = usable_name(display_name)
    async with storage.writing() as unit:
        account = replace(await unit.accounts.get(account_id), display_name=name)
        await unit.accounts.update(account)
        return account


async def has_password(storage: Storage, account_id: int) -> bool:
    """Returns whether the account has a password. One that came by a provider's sign-in has none."""
    return await storage.reading().accounts.password_hash(account_id) is not None

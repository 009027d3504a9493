from __future__ import annotations

from pathlib import Path

import pytest
from support.books import make_database

from softix_proxy.domain.access.users import UserRole
from softix_proxy.domain.accounts.accounts import Account, AccountStatus
from softix_proxy.domain.accounts.refusals import AccountRefusal, AccountRefusedError
from softix_proxy.operations.accounts import account_profile
from softix_proxy.storage.sqlite.unit import SqliteStorage


async def test_profile_has_a_name_of_any_script_and_maybe_a_password(tmp_path: Path) -> None:
    database = await make_database(tmp_path).open()
    storage = SqliteStorage(database)
    made = Account(0, "acc_ada", "ada.l@example.org", "Ada", UserRole.USER, AccountStatus.ACTIVE, 1, 1)
    async with storage.writing() as unit:
        account = await unit.accounts.add(made)
    assert (await account_profile.rename(storage, account.id, "Анна-Мария (Ops)")).display_name == "Анна-Мария (Ops)"
    assert (await storage.reading().accounts.get(account.id)).display_name == "Анна-Мария (Ops)"
    for name in ("", " ", "two\nlines", "x" * 200):
        with pytest.raises(AccountRefusedError) as refused:
            await account_profile.rename(storage, account.id, name)
        assert refused.value.reason is AccountRefusal.NAME_UNUSABLE
        with pytest.raises(AccountRefusedError):
            account_profile.usable_name(name)
    assert not await account_profile.has_password(storage, account.id)
    async with storage.writing() as unit:
        await unit.accounts.set_password_hash(account.id, "$argon2id$")
    assert await account_profile.has_password(storage, account.id)
    await database.close()

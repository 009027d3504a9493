"""The secrets of people's factors open under a new master key, and none of them keeps the old one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from softix_proxy.domain.access.users import UserRole
from softix_proxy.domain.accounts.accounts import Account, AccountStatus
from softix_proxy.domain.accounts.factors import TotpFactor
from softix_proxy.domain.accounts.oidc_section import OidcSection
from softix_proxy.domain.accounts.public_url import parse_public_url
from softix_proxy.domain.core.clock import SystemClock
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.operations.accounts import factors, oidc
from softix_proxy.operations.instance import instance
from softix_proxy.operations.instance.secrets import rotate, status
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.unit import SqliteStorage
from softix_proxy.vault.master_key import MasterKeySources
from softix_proxy.vault.master_key_store import MasterKeyStore

SECTION = OidcSection(issuer="https://login.example.org", client_id="softix")
URL = parse_public_url("https://portal.example.org")


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[SqliteStorage]:
    database = Database(tmp_path / "softix.db", SystemClock())
    database.create()
    await database.open()
    yield SqliteStorage(database)
    await database.close()


async def test_rotation_seals_apps_and_the_client_secret_anew(storage: SqliteStorage, tmp_path: Path) -> None:
    keys = MasterKeyStore(MasterKeySources(tmp_path / "master.key", None, {}))
    keys.create()
    await instance.record(storage, keys.new_identity())
    vault = keys.open(await instance.require_identity(storage.reading()))
    secret, client_secret = vault.new_totp_secret(), vault.new_totp_secret()
    async with storage.writing() as unit:
        made = Account(0, "acc_ada", "ada@example.org", "Ada", UserRole.USER, AccountStatus.ACTIVE, 1)
        ada = await unit.accounts.add(made)
        sealed = vault.seal_secret(secret, "totp_factors", str(ada.id), "sealed_secret")
        await unit.factors.set_totp(TotpFactor(account_id=ada.id, sealed_secret=sealed, last_step=1, created_at_us=1))
    await oidc.set_secret(storage, vault, SECTION, client_secret)
    assert ((await status(storage, keys)).secrets, (await status(storage, keys)).outstanding) == (2, 0)

    done = await rotate(storage, keys)

    assert done.rewrapped == 2 and (await status(storage, keys)).outstanding == 0
    after = keys.open(await instance.require_identity(storage.reading()))
    [kept] = await storage.reading().factors.list_totp()
    assert after.sealed_by(kept.sealed_secret) == after.master_key_id == done.key_id
    assert after.open_secret(kept.sealed_secret, "totp_factors", str(ada.id), "sealed_secret") == secret
    assert (await oidc.client(storage.reading(), after, SECTION, URL)).client_secret == client_secret
    assert await factors.outstanding(storage.reading(), after) == []


async def test_rotation_with_an_app_that_does_not_open_wraps_all_else_and_names_the_account(
    storage: SqliteStorage, tmp_path: Path
) -> None:
    keys = MasterKeyStore(MasterKeySources(tmp_path / "master.key", None, {}))
    keys.create()
    await instance.record(storage, keys.new_identity())
    vault = keys.open(await instance.require_identity(storage.reading()))
    async with storage.writing() as unit:
        for name, place in (("ada", "another place"), ("bob", "sealed_secret")):
            made = Account(0, f"acc_{name}", f"{name}@example.org", name, UserRole.USER, AccountStatus.ACTIVE, 1)
            one = await unit.accounts.add(made)
            sealed = vault.seal_secret(vault.new_totp_secret(), "totp_factors", str(one.id), place)
            await unit.factors.set_totp(TotpFactor(one.id, sealed, last_step=1, created_at_us=1))
    await oidc.set_secret(storage, vault, SECTION, vault.new_totp_secret())

    with pytest.raises(FailureError, match="acc_ada"):
        await rotate(storage, keys)

    told = await status(storage, keys)
    assert (told.secrets, told.outstanding, told.rotating) == (3, 1, True), (
        "the old key stays until all is under the new"
    )

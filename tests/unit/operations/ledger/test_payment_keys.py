from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.books import StoppedClock, make_database

from softix_proxy.domain.core.errors import BadInputError, FailureError
from softix_proxy.domain.ports.vault import Vault
from softix_proxy.operations.instance import instance
from softix_proxy.operations.instance import secrets as secrets_operations
from softix_proxy.operations.ledger import payment_keys
from softix_proxy.storage.sqlite.unit import SqliteStorage
from softix_proxy.vault.master_key import MasterKeySources
from softix_proxy.vault.master_key_store import MasterKeyStore

KEY = f"sk_test_{secrets.token_hex(16)}"
LIVE = f"rk_live_{secrets.token_hex(16)}"
WEBHOOK = f"whsec_{secrets.token_hex(16)}"


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[SqliteStorage]:
    database = await make_database(tmp_path, StoppedClock()).open()
    yield SqliteStorage(database)
    await database.close()


@pytest.fixture
async def master_keys(storage: SqliteStorage, tmp_path: Path) -> MasterKeyStore:
    keeper = MasterKeyStore(MasterKeySources(tmp_path / "master.key", None, {}))
    keeper.create()
    await instance.record(storage, keeper.new_identity())
    return keeper


@pytest.fixture
async def vault(storage: SqliteStorage, master_keys: MasterKeyStore) -> Vault:
    return master_keys.open(await instance.require_identity(storage.reading()))


async def test_stored_keys_are_sealed_and_come_back(storage: SqliteStorage, vault: Vault) -> None:
    with pytest.raises(FailureError, match="no key of Stripe"):
        await payment_keys.load(storage.reading(), vault)
    await payment_keys.store(storage, vault, secret_key=KEY, webhook_secret=WEBHOOK)
    keys = await payment_keys.load(storage.reading(), vault)
    assert (keys.secret_key, keys.webhook_secret, keys.is_live) == (KEY, WEBHOOK, False)
    assert KEY not in repr(keys) and WEBHOOK not in repr(keys)
    sealed = await storage.reading().instance.get("sealed_stripe_key")
    assert sealed is not None and KEY.encode() not in sealed
    assert await payment_keys.stored(storage.reading()) == 2


def test_key_decides_between_test_and_live_mode() -> None:
    kinds = ("sk_live", "rk_live", "sk_test", "rk_test")
    assert [payment_keys.is_live_key(f"{kind}_x") for kind in kinds] == [True, True, False, False]
    assert [payment_keys.is_restricted_key(f"{kind}_x") for kind in kinds] == [False, True, False, True]
    assert [payment_keys.PaymentKeys(f"{kind}_x", None).is_live for kind in kinds] == [True, True, False, False]


async def test_keys_open_for_no_other_address_of_the_api(storage: SqliteStorage, vault: Vault) -> None:
    await payment_keys.store(storage, vault, secret_key=KEY)
    with pytest.raises(FailureError, match="another address"):
        await payment_keys.load(storage.reading(), vault, "https://mallory.example.org")
    async with storage.writing() as unit:
        await unit.instance.set("stripe_api_base", b"https://mallory.example.org")
    with pytest.raises(FailureError, match="does not open"):
        await payment_keys.load(storage.reading(), vault, "https://mallory.example.org")


async def test_key_of_another_mode_ends_the_webhooks_secret(storage: SqliteStorage, vault: Vault) -> None:
    await payment_keys.store(storage, vault, secret_key=KEY, webhook_secret=WEBHOOK)
    await payment_keys.store(storage, vault, secret_key=f"rk_test_{secrets.token_hex(16)}")
    assert (await payment_keys.load(storage.reading(), vault)).webhook_secret == WEBHOOK
    await payment_keys.store(storage, vault, secret_key=LIVE)
    keys = await payment_keys.load(storage.reading(), vault)
    assert (keys.is_live, keys.webhook_secret) == (True, None)


@pytest.mark.parametrize(
    "text", ["", "sk_test_", f"pk_test_{'a' * 24}", f"sk_test_{'a' * 15}", f"sk_prod_{'a' * 24}", "x"]
)
async def test_text_that_is_no_key_is_refused_without_quoting_it(
    storage: SqliteStorage, vault: Vault, text: str
) -> None:
    with pytest.raises(BadInputError) as caught:
        await payment_keys.store(storage, vault, secret_key=text)
    assert not text or text not in caught.value.message


@pytest.mark.parametrize("text", ["", "whsec_", f"whsec_{'a' * 23}", "a" * 40])
async def test_empty_or_short_secret_of_a_webhook_is_refused(storage: SqliteStorage, vault: Vault, text: str) -> None:
    with pytest.raises(BadInputError):
        await payment_keys.store(storage, vault, webhook_secret=text)


async def test_new_master_key_wraps_the_keys_anew(storage: SqliteStorage, master_keys: MasterKeyStore) -> None:
    vault = master_keys.open(await instance.require_identity(storage.reading()))
    await payment_keys.store(storage, vault, secret_key=KEY, webhook_secret=WEBHOOK)
    assert (await secrets_operations.status(storage, master_keys)).secrets == 2
    assert (await secrets_operations.rotate(storage, master_keys)).rewrapped == 2
    new = master_keys.open(await instance.require_identity(storage.reading()))
    assert new.master_key_id != vault.master_key_id
    assert (await payment_keys.load(storage.reading(), new)).secret_key == KEY
    for secret in payment_keys.SECRETS:
        assert (await secret.count(storage.reading(), new)).outstanding == 0 == await secret.rewrap(storage, new)

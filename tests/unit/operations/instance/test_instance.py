from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from softix_proxy.domain.core.clock import SystemClock
from softix_proxy.domain.core.errors import ConflictError, FailureError
from softix_proxy.domain.ports.vault import Identity
from softix_proxy.operations.instance import instance
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.unit import SqliteStorage
from softix_proxy.vault.master_key import MasterKeySources
from softix_proxy.vault.master_key_store import MasterKeyStore
from softix_proxy.vault.signatures import is_signed

IDENTITY = Identity("00112233aabbccdd", b"check", b"pepper")


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[SqliteStorage]:
    database = Database(tmp_path / "softix.db", SystemClock())
    database.create()
    await database.open()
    yield SqliteStorage(database)
    await database.close()


async def test_identity_after_recording_is_found(storage: SqliteStorage) -> None:
    assert await instance.identity(storage.reading()) is None
    await instance.record(storage, IDENTITY)
    assert await instance.identity(storage.reading()) == IDENTITY
    assert await instance.require_identity(storage.reading()) == IDENTITY


async def test_identity_when_one_exists_is_not_replaced(storage: SqliteStorage) -> None:
    await instance.record(storage, IDENTITY)
    with pytest.raises(ConflictError, match="has its master key already"):
        await instance.record(storage, Identity("other", b"c", b"p"))
    assert await instance.identity(storage.reading()) == IDENTITY


async def test_identity_when_missing_is_refused_with_init_as_the_remedy(storage: SqliteStorage) -> None:
    with pytest.raises(FailureError) as caught:
        await instance.require_identity(storage.reading())
    assert caught.value.remedy == "run: softix init"
    async with storage.writing() as unit:
        await unit.instance.set("master_key_id", b"half")
    assert await instance.identity(storage.reading()) is None


async def test_signing_key_is_created_once(storage: SqliteStorage, tmp_path: Path) -> None:
    keeper = MasterKeyStore(MasterKeySources(tmp_path / "master.key", None, {}))
    keeper.create()
    await instance.record(storage, keeper.new_identity())
    vault = keeper.open(await instance.require_identity(storage.reading()))
    first, second = [await instance.signer(storage, vault) for _ in range(2)]
    assert first.public_key == second.public_key
    assert is_signed(first.public_key, b"x", second.sign(b"x"))

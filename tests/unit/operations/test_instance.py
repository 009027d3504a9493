from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from softix_proxy.domain.clock import SystemClock
from softix_proxy.domain.errors import ConflictError, FailureError
from softix_proxy.domain.vault import Identity
from softix_proxy.operations import instance
from softix_proxy.storage.database import Database
from softix_proxy.storage.storage import SqliteStorage
from softix_proxy.vault.keeper import MasterKeyStore
from softix_proxy.vault.master_key import MasterKeySources
from softix_proxy.vault.signatures import is_signed

IDENTITY = Identity("00112233aabbccdd", b"check", b"pepper")


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[SqliteStorage]:
    database = Database(tmp_path / "softix.db", SystemClock())
    database.create()
    await database.open()
    yield SqliteStorage(database)
    await database.close()


async def test_what_is_recorded_is_known(storage: SqliteStorage) -> None:
    assert await instance.identity(storage.reading()) is None
    await instance.record(storage, IDENTITY)
    assert await instance.identity(storage.reading()) == IDENTITY
    assert await instance.require_identity(storage.reading()) == IDENTITY


async def test_a_second_identity_is_refused(storage: SqliteStorage) -> None:
    await instance.record(storage, IDENTITY)
    with pytest.raises(ConflictError, match="has its master key already"):
        await instance.record(storage, Identity("other", b"c", b"p"))
    assert await instance.identity(storage.reading()) == IDENTITY


async def test_without_one_the_remedy_is_init(storage: SqliteStorage) -> None:
    with pytest.raises(FailureError) as caught:
        await instance.require_identity(storage.reading())
    assert caught.value.remedy == "run: softix init"
    async with storage.writing() as unit:
        await unit.instance.set("master_key_id", b"half")
    assert await instance.identity(storage.reading()) is None


async def test_the_signing_key_is_made_once(storage: SqliteStorage, tmp_path: Path) -> None:
    keeper = MasterKeyStore(MasterKeySources(tmp_path / "master.key", None, {}))
    keeper.create()
    await instance.record(storage, keeper.new_identity())
    vault = keeper.open(await instance.require_identity(storage.reading()))
    first, second = [await instance.signer(storage, vault) for _ in range(2)]
    assert first.public_key == second.public_key
    assert is_signed(first.public_key, b"x", second.sign(b"x"))

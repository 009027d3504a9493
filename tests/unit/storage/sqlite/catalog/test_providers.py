import secrets
from pathlib import Path

from softix_proxy.domain.catalog.providers import Provider, ProviderStatus, ProviderType
from softix_proxy.domain.core.clock import SystemClock
from softix_proxy.storage.sqlite.catalog.providers import SqliteProviderStore
from softix_proxy.storage.sqlite.core.database import Database


async def test_provider_key_after_removal_is_left_in_no_file(tmp_path: Path) -> None:
    database = Database(tmp_path / "softix.db", SystemClock())
    database.create()
    sealed = secrets.token_bytes(64)
    asked = Provider(0, "prv_a", "a", ProviderType.DEMO, "", sealed, "cancel", ProviderStatus.ACTIVE, 1)
    async with database.transaction() as session:
        provider = await SqliteProviderStore(session).add(asked)
    assert provider.sealed_key == sealed
    async with database.transaction() as session:
        gone = Provider(provider.id, "prv_a", "a", provider.type, "", None, "cancel", ProviderStatus.REMOVED, 1)
        await SqliteProviderStore(session).update(gone)
    connection = database.connect()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    assert all(sealed not in path.read_bytes() for path in tmp_path.iterdir())

import secrets
from pathlib import Path

from softix_proxy.domain.clock import SystemClock
from softix_proxy.domain.providers import Provider, ProviderStatus, ProviderType
from softix_proxy.storage.database import Database
from softix_proxy.storage.providers import SqliteProviderStore


async def test_a_wiped_key_is_not_left_in_the_file(tmp_path: Path) -> None:
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

from pathlib import Path

from softix_proxy.domain.catalog.models import Model, ModelStatus
from softix_proxy.domain.catalog.providers import Provider, ProviderStatus, ProviderType
from softix_proxy.domain.core.clock import SystemClock
from softix_proxy.storage.sqlite.catalog.models import SqliteModelStore
from softix_proxy.storage.sqlite.catalog.providers import SqliteProviderStore
from softix_proxy.storage.sqlite.core.database import Database, DatabaseRow, DatabaseSession


class CountingSession(DatabaseSession):
    statements = 0

    async def all(self, statement: str, *values: object) -> list[DatabaseRow]:
        self.statements += 1
        return list(await super().all(statement, *values))


async def test_model_store_with_many_models_adds_them_in_one_statement(tmp_path: Path) -> None:
    database = Database(tmp_path / "softix.db", SystemClock())
    database.create()
    async with database.transaction() as session:
        lab = await SqliteProviderStore(session).add(
            Provider(0, "prv_a", "a", ProviderType.DEMO, "", None, "cancel", ProviderStatus.ACTIVE, 1)
        )
        counting = CountingSession(session._connection, session.clock)
        asked = [Model(0, f"m{n}", lab.id, "m", n + 1, n, ModelStatus.ACTIVE, 2**53 + 1) for n in range(300)]
        added = await SqliteModelStore(counting).add_all(asked)
    assert counting.statements == 1
    assert [model.name for model in added] == [model.name for model in asked]
    assert {model.created_at_us for model in added} == {2**53 + 1}

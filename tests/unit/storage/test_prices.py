from fractions import Fraction
from pathlib import Path

import pytest

from softix_proxy.domain.clock import SystemClock
from softix_proxy.domain.models import Model, ModelStatus
from softix_proxy.domain.prices import MarkupVersion, PriceVersion
from softix_proxy.domain.pricing import Sheet
from softix_proxy.domain.providers import Provider, ProviderStatus, ProviderType
from softix_proxy.storage.database import Database
from softix_proxy.storage.engine_sqlite import DatabaseError
from softix_proxy.storage.models import SqliteModelStore
from softix_proxy.storage.prices import SqlitePriceStore
from softix_proxy.storage.providers import SqliteProviderStore


@pytest.fixture
async def database(tmp_path: Path) -> Database:
    database = Database(tmp_path / "softix.db", SystemClock())
    database.create()
    async with database.transaction() as session:
        lab = await SqliteProviderStore(session).add(
            Provider(0, "prv_a", "a", ProviderType.DEMO, "", None, "cancel", ProviderStatus.ACTIVE, 1)
        )
        [model] = await SqliteModelStore(session).add_all(
            [Model(0, "m", lab.id, "m", None, None, ModelStatus.ACTIVE, 1)]
        )
        await SqlitePriceStore(session).add_all([PriceVersion(0, model.id, None, "operator", Sheet(()), 1, 1)])
        await SqlitePriceStore(session).add_markup(MarkupVersion(0, "default", None, Fraction(43, 40), 1, 1))
    return database


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE prices SET sheet = '{}'",
        "UPDATE prices SET starts_at_us = 0",
        "DELETE FROM prices",
        "UPDATE markups SET numerator = 1",
        "DELETE FROM markups",
    ],
)
async def test_the_database_itself_refuses_to_edit_a_version(database: Database, statement: str) -> None:
    connection = database.connect()
    with pytest.raises(DatabaseError, match="append-only"):
        connection.execute(statement)
    connection.close()


async def test_a_price_for_a_model_that_is_not_there_is_refused(database: Database) -> None:
    connection = database.connect()
    with pytest.raises(DatabaseError):
        connection.execute("INSERT INTO prices VALUES (NULL, 99, NULL, 'operator', '{}', 1, 1, 0)")
    connection.close()

from fractions import Fraction
from pathlib import Path

import pytest

from softix_proxy.domain.catalog.models import Model, ModelStatus
from softix_proxy.domain.catalog.providers import Provider, ProviderStatus, ProviderType
from softix_proxy.domain.core.clock import SystemClock
from softix_proxy.domain.pricing.prices import MarkupVersion, PriceVersion
from softix_proxy.domain.pricing.rates import PriceSheet
from softix_proxy.storage.sqlite.catalog.models import SqliteModelStore
from softix_proxy.storage.sqlite.catalog.providers import SqliteProviderStore
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.core.engine import DatabaseError
from softix_proxy.storage.sqlite.pricing.prices import SqlitePriceStore


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
        await SqlitePriceStore(session).add_all([PriceVersion(0, model.id, None, "operator", PriceSheet(()), 1, 1)])
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
async def test_price_version_edited_by_a_statement_is_refused(database: Database, statement: str) -> None:
    connection = database.connect()
    with pytest.raises(DatabaseError, match="append-only"):
        connection.execute(statement)
    connection.close()


async def test_price_version_of_an_unknown_model_is_refused(database: Database) -> None:
    connection = database.connect()
    with pytest.raises(DatabaseError):
        connection.execute("INSERT INTO prices VALUES (NULL, 99, NULL, 'operator', '{}', 1, 1, 0)")
    connection.close()

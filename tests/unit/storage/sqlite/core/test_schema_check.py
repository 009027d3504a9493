from collections.abc import Iterator
from pathlib import Path

import pytest
from support.books import make_database

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.storage.sqlite.core import migrations, schema_check
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.core.engine import SqliteConnection


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return make_database(tmp_path)


@pytest.fixture
def connection(database: Database) -> Iterator[SqliteConnection]:
    opened = database.connect()
    yield opened
    opened.close()


def test_new_database_is_as_its_migrations_make_it(database: Database, connection: SqliteConnection) -> None:
    assert schema_check.differences(connection) == [] and schema_check.edited(connection) == []
    assert set(migrations.known_hashes(connection)) == set(range(1, migrations.latest() + 1))
    database.require_same_schema()
    database.require_same_schema()


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DROP INDEX bills_by_user", "the index bills_by_user of the database is missing"),
        ("ALTER TABLE keys ADD COLUMN nick TEXT", "the table keys of the database is another one"),
    ],
)
def test_start_on_an_edited_schema_names_the_difference_and_the_remedy(
    database: Database, connection: SqliteConnection, statement: str, said: str
) -> None:
    database.require_same_schema()  # what an earlier start has seen is not believed for ever
    connection.execute(statement)
    with pytest.raises(FailureError, match=said) as raised:
        database.require_same_schema()
    assert "restore a backup" in raised.value.remedy


def test_object_of_somebody_else_is_named_and_lets_softix_start(
    database: Database, connection: SqliteConnection
) -> None:
    connection.execute("CREATE TABLE mine (id)")
    [strange] = schema_check.differences(connection)
    assert (strange.kind, strange.name, strange.breaks) == ("table", "mine", False)
    database.require_same_schema()


def test_schema_is_built_once_and_not_at_every_start(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    database.require_same_schema()
    monkeypatch.setattr(schema_check, "_fresh", lambda: pytest.fail("it was built again"))
    database.require_same_schema()


def test_migration_that_was_edited_after_it_ran_is_named(connection: SqliteConnection) -> None:
    connection.execute("UPDATE instance SET value = zeroblob(32) WHERE name = 'migration:0005'")
    [name] = schema_check.edited(connection)
    assert name.startswith("0005_")

from collections.abc import Iterator
from pathlib import Path

import pytest

from softix_proxy.domain.clock import SystemClock
from softix_proxy.domain.errors import FailureError
from softix_proxy.storage import engine_sqlite, migrations
from softix_proxy.storage.database import Database
from softix_proxy.storage.engine_sqlite import SqliteConnection
from softix_proxy.storage.health import DatabaseInspection, ReadOnlyDatabase


@pytest.fixture
def path(tmp_path: Path) -> Path:
    place = tmp_path / "softix.db"
    Database(place, SystemClock()).create()
    return place


@pytest.fixture
def books(path: Path) -> Iterator[SqliteConnection]:
    connection = engine_sqlite.connect(path)
    yield connection
    connection.close()


@pytest.fixture
def health(path: Path) -> DatabaseInspection:
    return DatabaseInspection(ReadOnlyDatabase(path, SystemClock(), busy_timeout_ms=1))


def test_a_new_database_is_whole(health: DatabaseInspection, path: Path) -> None:
    assert health.damage() == []
    assert health.dangling() == []
    assert health.schema() == (migrations.latest(), migrations.latest())
    assert health.journal_mode() == "wal"
    assert health.last_posted_us() == 0
    assert health.abandoned() == []
    assert path in health.files()
    assert health.library() == (engine_sqlite.name(), "")


def test_it_does_not_wait_for_a_writer(health: DatabaseInspection, books: SqliteConnection) -> None:
    books.execute("BEGIN IMMEDIATE")
    books.execute("UPDATE directory_revision SET value = value + 1")
    assert health.damage() == []
    assert health.log_bytes() == health.files()[1].stat().st_size
    books.execute("COMMIT")


def test_it_writes_nothing(path: Path) -> None:
    connection = ReadOnlyDatabase(path, SystemClock()).connect()
    with pytest.raises(engine_sqlite.DatabaseError, match="readonly"):
        connection.execute("UPDATE directory_revision SET value = 9")
    connection.close()


async def test_what_is_not_there_is_not_made(tmp_path: Path) -> None:
    database = ReadOnlyDatabase(tmp_path / "softix.db", SystemClock())
    await database.open()
    with pytest.raises(FailureError, match="cannot be opened"):
        _ = database.session
    health = DatabaseInspection(database)
    for verb in (health.schema, health.damage, health.dangling, health.last_posted_us, health.abandoned):
        with pytest.raises(FailureError, match="cannot be opened"):
            verb()
    await database.close()
    assert list(tmp_path.iterdir()) == []


def test_an_index_that_lost_an_entry_is_damage(health: DatabaseInspection, path: Path, books: SqliteConnection) -> None:
    books.execute("PRAGMA writable_schema = ON")
    books.execute(
        "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'users_by_revision')"
        " WHERE name = 'keys_by_revision'"
    )
    books.execute("INSERT INTO users (public_id, name, email, role, created_at_us) VALUES ('u', 'n', 'e', 'user', 0)")
    damage = health.damage()
    assert damage
    assert not any(line.startswith("***") for line in damage)

from collections.abc import Iterator
from pathlib import Path

import pytest

from softix_proxy.domain.core.clock import SystemClock
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.storage.sqlite.core import engine, migrations
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.core.engine import SqliteConnection
from softix_proxy.storage.sqlite.instance.inspection import DatabaseInspection, ReadOnlyDatabase


@pytest.fixture
def path(tmp_path: Path) -> Path:
    place = tmp_path / "softix.db"
    Database(place, SystemClock()).create()
    return place


@pytest.fixture
def books(path: Path) -> Iterator[SqliteConnection]:
    connection = engine.connect(path)
    yield connection
    connection.close()


@pytest.fixture
def health(path: Path) -> DatabaseInspection:
    return DatabaseInspection(ReadOnlyDatabase(path, SystemClock(), busy_timeout_ms=1))


def test_inspection_of_a_new_database_finds_no_damage(health: DatabaseInspection, path: Path) -> None:
    assert health.damage() == []
    assert health.dangling() == []
    assert health.schema() == (migrations.latest(), migrations.latest())
    assert health.journal_mode() == "wal"
    assert health.last_posted_us() == 0
    assert health.abandoned() == []
    assert path in health.files()
    assert health.library() == (engine.name(), "")


def test_inspection_during_a_write_transaction_does_not_wait(
    health: DatabaseInspection, books: SqliteConnection
) -> None:
    books.execute("BEGIN IMMEDIATE")
    books.execute("UPDATE directory_revision SET value = value + 1")
    assert health.damage() == []
    assert health.log_bytes() == health.files()[1].stat().st_size
    books.execute("COMMIT")


def test_read_only_database_refuses_a_write(path: Path) -> None:
    connection = ReadOnlyDatabase(path, SystemClock()).connect()
    with pytest.raises(engine.DatabaseError, match="readonly"):
        connection.execute("UPDATE directory_revision SET value = 9")
    connection.close()


async def test_read_only_database_without_a_file_fails_and_creates_nothing(tmp_path: Path) -> None:
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


def test_inspection_with_a_damaged_index_reports_damage(
    health: DatabaseInspection, path: Path, books: SqliteConnection
) -> None:
    books.execute("PRAGMA writable_schema = ON")
    books.execute(
        "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'users_by_revision')"
        " WHERE name = 'keys_by_revision'"
    )
    books.execute("INSERT INTO users (public_id, name, email, role, created_at_us) VALUES ('u', 'n', 'e', 'user', 0)")
    damage = health.damage()
    assert damage
    assert not any(line.startswith("***") for line in damage)

from collections.abc import Iterator
from pathlib import Path
from sqlite3 import complete_statement

import pytest

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.storage.sqlite.core import engine, migrations
from softix_proxy.storage.sqlite.core.engine import SqliteConnection
from softix_proxy.storage.sqlite.core.migrations import split

pytestmark = pytest.mark.usefixtures("real_migrations")


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[SqliteConnection]:
    connection = engine.connect(tmp_path / "softix.db", make=True)
    yield connection
    connection.close()


def test_migration_numbers_are_consecutive_and_each_has_a_note() -> None:
    found = migrations.available()
    assert [number for number, _, _ in found] == list(range(1, len(found) + 1))
    assert all(folder.joinpath("note.md").read_text().strip() for _, _, folder in found)
    assert migrations.latest() == len(found)


def test_migrate_with_an_empty_file_applies_every_migration(empty: SqliteConnection) -> None:
    assert migrations.current(empty) == 0
    assert migrations.migrate(empty) == [f"{number:04d}_{name}" for number, name, _ in migrations.available()]
    assert migrations.current(empty) == migrations.latest()
    assert migrations.migrate(empty) == []


def test_migrate_with_the_latest_schema_takes_no_lock(empty: SqliteConnection, tmp_path: Path) -> None:
    migrations.migrate(empty)
    empty.execute("BEGIN IMMEDIATE")
    other = engine.connect(tmp_path / "softix.db", busy_timeout_ms=0)
    assert migrations.migrate(other) == []
    other.close()
    empty.execute("ROLLBACK")


def test_migrate_with_a_newer_schema_is_refused(empty: SqliteConnection) -> None:
    migrations.migrate(empty)
    empty.execute(f"PRAGMA user_version = {migrations.latest() + 1}")
    with pytest.raises(FailureError, match="this softix knows up to") as refused:
        migrations.migrate(empty)
    assert "nothing was changed" in refused.value.remedy


@pytest.mark.parametrize("pragma", ["application_id = 42", "user_version = 3"])
def test_migrate_with_a_file_of_another_program_is_refused(empty: SqliteConnection, pragma: str) -> None:
    empty.execute(f"PRAGMA {pragma}")
    with pytest.raises(FailureError, match="another program"):
        migrations.migrate(empty)
    assert empty.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)


def test_migrate_with_a_failing_step_changes_nothing(
    empty: SqliteConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = tmp_path / "0001_bad"
    step.mkdir()
    (step / "up.sql").write_text("CREATE TABLE good (x);\nCREATE TABLE bad (;\n")
    monkeypatch.setattr(migrations, "available", lambda: [(1, "bad", step)])
    with pytest.raises(FailureError, match="0001_bad failed"):
        migrations.migrate(empty)
    assert migrations.current(empty) == 0
    assert empty.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)


def test_split_with_a_trigger_keeps_it_in_one_statement() -> None:
    table = "CREATE TABLE a (x);\n\n-- why; because\n"
    first, second = split(f"{table}CREATE TRIGGER t AFTER INSERT ON a BEGIN\n  SELECT 1;\n  SELECT 2;\nEND;\n")
    assert first == "CREATE TABLE a (x);"
    assert second.endswith("END;") and "SELECT 2" in second


def test_migration_scripts_split_into_complete_statements() -> None:
    for _, _, folder in migrations.available():
        script = folder.joinpath("up.sql").read_text()
        statements = split(script)
        assert all(complete_statement(statement) for statement in statements)
        assert sum(map(len, statements)) > len(script) * 0.95

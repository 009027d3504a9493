import pytest

from softix_proxy.doctor.findings import Severity
from softix_proxy.settings import Settings
from softix_proxy.storage.sqlite.core import migrations


async def test_migration_check_of_the_latest_schema_is_ok(made: Settings, look) -> None:
    [found] = await look("migrations")
    assert found.severity is Severity.OK and f"schema {migrations.latest()} is up to date" in found.message


async def test_migration_check_of_an_edited_schema_names_each_difference(made: Settings, look, books) -> None:
    books.execute("DROP TRIGGER bills_no_gap")
    books.execute("ALTER TABLE users ADD COLUMN nick TEXT")
    books.execute("CREATE TABLE mine (id INTEGER)")
    books.execute("UPDATE instance SET value = zeroblob(32) WHERE name = 'migration:0003'")
    found = await look("migrations")
    assert all(each.severity is Severity.ERROR and "restore a backup" in each.remedy for each in found)
    assert sorted(each.message for each in found) == [
        "the migration 0003_periods ran with another text than it has now",
        "the table users of the database is another one than this softix makes",
        "the trigger bills_no_gap of the database is missing",
    ]


async def test_migration_check_of_a_newer_schema_reports_an_error_and_keeps_it(made: Settings, look, books) -> None:
    books.execute("PRAGMA user_version = 4000")
    [found] = await look("migrations")
    assert found.severity is Severity.ERROR
    assert found.remedy.startswith("install the newer softix again, or restore the backup")
    assert books.execute("PRAGMA user_version").fetchone() == (4000,)


async def test_migration_check_of_an_older_schema_warns(
    made: Settings, look, books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "latest", lambda: 4000)
    [found] = await look("migrations")
    assert found.severity is Severity.WARNING
    assert "a migration is pending" in found.message and "run: softix migrate" in found.remedy


async def test_migration_check_of_an_empty_file_reports_an_error_and_keeps_it(settings: Settings, look) -> None:
    settings.paths.data_dir.mkdir()
    settings.paths.database.touch()
    [found] = await look("migrations")
    assert (found.severity, found.remedy) == (Severity.ERROR, "run: softix init")
    assert settings.paths.database.stat().st_size == 0

import pytest

from softix_proxy.doctor.findings import Severity
from softix_proxy.settings import Settings
from softix_proxy.storage.sqlite.core import migrations


async def test_migration_check_of_the_latest_schema_is_ok(made: Settings, look) -> None:
    [found] = await look("migrations")
    assert (found.severity, found.message) == (Severity.OK, f"schema {migrations.latest()} is up to date")


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

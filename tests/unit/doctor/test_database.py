from dataclasses import replace
from pathlib import Path

import pytest

from softix_proxy.doctor.findings import Severity
from softix_proxy.settings import Settings
from softix_proxy.storage.sqlite.core import engine
from softix_proxy.storage.sqlite.instance.inspection import DatabaseInspection


async def test_database_check_of_a_whole_database_is_ok(made: Settings, look) -> None:
    findings = await look("database")
    assert [finding.severity for finding in findings] == [Severity.OK, Severity.OK]
    assert findings[1].message == f"{made.paths.database} is whole"


async def test_database_check_without_a_database_names_init_as_the_remedy(settings: Settings, look) -> None:
    [_, missing] = await look("database")
    assert missing.severity is Severity.ERROR
    assert missing.remedy.startswith("run: softix init")


async def test_database_check_with_overwritten_pages_reports_damage(made: Settings, look) -> None:
    connection = engine.connect(made.paths.database)
    [root] = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'usage'").fetchone()
    connection.close()
    with made.paths.database.open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\xa5" * 4096)
    found = [finding for finding in await look("database") if finding.severity is Severity.ERROR]
    assert found
    assert "is damaged" in found[0].message
    assert "backup" in found[0].remedy


@pytest.mark.parametrize("content", [b"not a database at all" * 300, b"\x00" * 8192])
async def test_database_check_of_a_file_that_is_no_database_reports_an_error(
    made: Settings, look, content: bytes
) -> None:
    made.paths.database.write_bytes(content)
    assert (await look("database"))[-1].severity is Severity.ERROR


async def test_database_check_of_another_program_s_database_reports_an_error(made: Settings, look, books) -> None:
    books.execute("PRAGMA application_id = 17")
    assert (await look("database"))[-1].message == "the database file belongs to another program"


async def test_database_check_with_dangling_references_names_the_table(made: Settings, look, books) -> None:
    books.execute("PRAGMA foreign_keys = OFF")
    books.execute("INSERT INTO wallets VALUES (77, 0, 0, 0)")
    found = (await look("database"))[-1]
    assert (found.severity, found.message) == (Severity.ERROR, "rows of wallets refer to rows that are not there")


async def test_database_check_with_another_journal_mode_warns(made: Settings, look, books) -> None:
    books.execute("PRAGMA journal_mode = DELETE")
    found = (await look("database"))[-1]
    assert (found.severity, "journal mode delete" in found.message) == (Severity.WARNING, True)


async def test_database_check_with_a_large_write_ahead_log_warns(made: Settings, look, books) -> None:
    books.execute("UPDATE directory_revision SET value = value")
    log = made.paths.database.with_name("softix.db-wal")
    with log.open("r+b") as file:
        file.truncate(300 << 20)  # sparse
    found = (await look("database"))[-1]
    assert (found.severity, found.message) == (Severity.WARNING, "the write-ahead log has grown to 300 MiB")


async def test_database_check_with_an_unsound_library_reports_an_error(
    made: Settings, look, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DatabaseInspection, "library", lambda _: ("SQLite 3.45.1", "run: pip"))
    first = (await look("database"))[0]
    assert first.severity is Severity.ERROR
    assert "3.45.1" in first.message and first.remedy == "run: pip"


async def test_database_check_with_an_odd_path_is_ok(made: Settings, look, tmp_path: Path) -> None:
    moved = tmp_path / "50% & more?#"
    made.paths.data_dir.rename(moved)
    there = replace(made, paths=replace(made.paths, data_dir=moved, database=moved / "softix.db"))
    findings = await look("database", "ledger", settings=there)
    assert all(finding.severity is Severity.OK for finding in findings)

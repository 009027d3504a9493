from __future__ import annotations

from pathlib import Path

import pytest
from support.fresh_database import copy_or_migrate, really_migrate

from softix_proxy.storage.sqlite.core import engine, migrations
from softix_proxy.storage.sqlite.core.engine import SqliteConnection

HEADER = ("application_id", "user_version", "journal_mode", "page_size", "encoding", "auto_vacuum", "integrity_check")


def new(path: Path) -> SqliteConnection:
    return engine.connect(path, make=True)


def everything(connection: SqliteConnection) -> list[object]:
    names = (
        "sqlite_master",
        *(name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")),
    )
    header = [connection.execute(f"PRAGMA {name}").fetchall() for name in HEADER]
    return [
        header,
        *([name, connection.execute(f'SELECT * FROM "{name}" ORDER BY 1, 2').fetchall()] for name in sorted(names)),
    ]


def test_copied_database_is_the_migrated_one(tmp_path: Path) -> None:
    copied, migrated = new(tmp_path / "copied.db"), new(tmp_path / "migrated.db")
    assert copy_or_migrate(copied) == really_migrate(migrated)
    assert everything(copied) == everything(migrated)
    assert copy_or_migrate(copied) == []
    copied.close()
    migrated.close()


def test_migrations_that_a_test_replaces_are_applied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    step = tmp_path / "0001_one"
    step.mkdir()
    (step / "up.sql").write_text("CREATE TABLE instance (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;\n")
    monkeypatch.setattr(migrations, "available", lambda: [(1, "one", step)])
    made = new(tmp_path / "softix.db")
    assert copy_or_migrate(made) == ["0001_one"]
    assert made.execute("SELECT name FROM sqlite_master").fetchall() == [("instance",)]
    made.close()

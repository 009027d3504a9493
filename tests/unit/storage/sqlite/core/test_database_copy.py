import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from support.books import NOW_US, make_database, make_intent, make_settlement, post

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.instance.backups import BookCounts
from softix_proxy.storage.sqlite.core import database_copy, engine, migrations
from softix_proxy.storage.sqlite.core.database import Database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    yield make_database(tmp_path)


def settle(database: Database, number: int) -> None:
    with closing(database.connect()) as connection:
        post(connection, [make_settlement(make_intent(number, 0), charge_pico=7)], NOW_US + number)


def test_copy_is_a_whole_database_of_this_user_alone(database: Database, tmp_path: Path) -> None:
    settle(database, 1)
    target = tmp_path / "copy"
    copied = database_copy.copy(database, target)
    assert (copied.schema, copied.at_us) == (migrations.latest(), NOW_US)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert database_copy.require_whole(target, target) == migrations.latest()
    assert database_copy.counts(target) == database_copy.counts(database.path)


def test_copy_has_the_rows_of_its_beginning_although_others_write_meanwhile(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a transaction, SQLite would begin anew with each write, and never end under a load."""
    settle(database, 1)
    monkeypatch.setattr(database_copy, "_STEP_PAGES", 1)
    steps = []

    class WritesBetween(type(database_copy.threading.Event())):  # type: ignore[misc]
        def wait(self, timeout: float | None = None) -> bool:
            steps.append(timeout)
            settle(database, 1 + len(steps))
            return False

    monkeypatch.setattr(database_copy.threading, "Event", WritesBetween)
    database_copy.copy(database, tmp_path / "copy")
    assert len(steps) > 50
    assert database_copy.counts(tmp_path / "copy").usage_rows == 1
    assert database_copy.counts(database.path).usage_rows == 1 + len(steps)


def test_copy_that_fails_leaves_no_file(database: Database, tmp_path: Path) -> None:
    target = tmp_path / "none" / "copy"
    with pytest.raises(FailureError, match="cannot be opened"):
        database_copy.copy(database, target)
    database.path.write_bytes(b"garbage" * 1000)
    with pytest.raises(FailureError):
        database_copy.copy(database, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_counts_are_those_up_to_a_moment(database: Database) -> None:
    for number in (1, 2, 3):
        settle(database, number)
    whole = database_copy.counts(database.path)
    assert (whole.usage_rows, whole.charge_pico) == (3, 21)
    [(second,)] = engine.connect(database.path).execute("SELECT id FROM usage ORDER BY id LIMIT 1 OFFSET 1").fetchall()
    until = database_copy.counts(database.path, second)
    assert (until.usage_rows, until.charge_pico, until.last_posted_us) == (2, 14, second)
    assert database_copy.counts(database.path, 0) == BookCounts(0, 0, 0, 0)


def test_file_that_is_no_whole_database_is_refused(database: Database, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.write_bytes(b"")
    with pytest.raises(FailureError, match="is an empty database"):
        database_copy.require_whole(empty, empty)
    with closing(engine.connect(database.path)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("UPDATE models SET provider_id = 99")
    with pytest.raises(FailureError, match="rows of models refer to missing ones"):
        database_copy.require_whole(database.path, database.path)
    with closing(engine.connect(database.path)) as connection:
        connection.execute(f"PRAGMA user_version = {migrations.latest() + 1}")
    with pytest.raises(FailureError, match="this softix knows up to"):
        database_copy.require_whole(database.path, database.path)

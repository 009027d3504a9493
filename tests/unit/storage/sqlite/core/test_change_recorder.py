from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from softix_proxy.storage.sqlite.core.change_recorder import ChangeRecorder, RowChange, record
from softix_proxy.storage.sqlite.core.engine import DatabaseError, SqliteConnection, connect


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[SqliteConnection]:
    made = connect(tmp_path / "a.db", make=True)
    made.execute("CREATE TABLE a (id INTEGER PRIMARY KEY, x TEXT, y TEXT) STRICT")
    made.execute("CREATE TABLE b (k TEXT, l TEXT, n INTEGER, PRIMARY KEY (k, l)) STRICT, WITHOUT ROWID")
    made.execute("INSERT INTO a VALUES (1, 'old', NULL), (2, 'gone', NULL)")
    yield made
    made.close()


def test_each_row_that_was_changed_is_told_with_what_was_there_before(connection: SqliteConnection) -> None:
    recorder = ChangeRecorder(connection, ["a", "b"])
    connection.execute("UPDATE a SET x = 'new' WHERE id = 1")
    connection.execute("DELETE FROM a WHERE id = 2")
    connection.execute("INSERT INTO b VALUES ('k', 'l', 3)")
    assert recorder.changes() == [
        RowChange("a", "update", {"id": 1}, {"x": "old"}, {"x": "new"}),
        RowChange("a", "delete", {"id": 2}, {"id": 2, "x": "gone", "y": None}, {}),
        RowChange("b", "insert", {"k": "k", "l": "l"}, {}, {"k": "k", "l": "l", "n": 3}),
    ]
    recorder.close()


def test_change_that_was_taken_back_and_other_tables_are_not_told(connection: SqliteConnection) -> None:
    recorder = ChangeRecorder(connection, ["a"])
    connection.execute("UPDATE a SET x = 'new' WHERE id = 1")
    connection.execute("UPDATE a SET x = 'old' WHERE id = 1")
    connection.execute("INSERT INTO b VALUES ('k', 'l', 3)")
    assert list(recorder.changes()) == []
    recorder.close()


def test_changes_before_and_after_a_recording_are_not_in_it(connection: SqliteConnection) -> None:
    connection.execute("INSERT INTO a VALUES (3, 'before', NULL)")
    recorder = ChangeRecorder(connection, ["a"])
    connection.execute("INSERT INTO a VALUES (4, NULL, NULL)")
    assert [change.key for change in recorder.changes()] == [{"id": 4}]
    recorder.close()


def test_connection_that_cannot_be_recorded_is_closed(connection: SqliteConnection) -> None:
    with pytest.raises(TypeError):
        record(connection, [1])  # type: ignore[list-item] # what no table is called
    with pytest.raises(DatabaseError):
        connection.execute("SELECT 1")


def test_recording_ends_with_the_connection(connection: SqliteConnection) -> None:
    recorder = record(connection, ["a"])
    connection.execute("INSERT INTO a VALUES (4, NULL, NULL)")
    assert connection.recorder is recorder and len(recorder.changes()) == 1
    connection.close()
    assert connection.recorder is None
    with pytest.raises(ValueError):
        recorder.changes()

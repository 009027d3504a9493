from pathlib import Path

import pytest

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.storage.sqlite.core import engine


@pytest.mark.parametrize(
    ("version", "affected"),
    [
        ((3, 6, 23), False),
        ((3, 7, 0), True),
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 45, 0), True),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 50, 8), False),
        ((3, 51, 0), True),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 52, 0), False),
        ((4, 0, 0), False),
    ],
)
def test_library_version_that_may_lose_rows_is_affected(version: tuple[int, ...], affected: bool) -> None:
    assert engine.is_affected(version) is affected


def test_library_version_in_use_is_not_affected() -> None:
    assert not engine.is_affected(engine.version())
    engine.require_sound()


def test_library_version_that_is_affected_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "version", lambda: (3, 40, 1))
    with pytest.raises(FailureError, match="can lose committed rows") as refused:
        engine.require_sound()
    assert refused.value.remedy == engine.remedy()


def test_connection_after_connect_has_the_required_pragmas(tmp_path: Path) -> None:
    connection = engine.connect(tmp_path / "softix.db", busy_timeout_ms=1234, make=True)
    expected = {
        "journal_mode": "wal",
        "synchronous": 2,
        "fullfsync": 1,
        "foreign_keys": 1,
        "secure_delete": 1,
        "temp_store": 2,
        "trusted_schema": 0,
        "wal_autocheckpoint": 0,
        "busy_timeout": 1234,
    }
    found = {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in expected}
    assert found == expected
    assert connection.in_transaction is False
    connection.close()


def test_connect_without_a_file_creates_it_only_with_make(tmp_path: Path) -> None:
    path = tmp_path / "softix.db"
    for read_only in (False, True):
        with pytest.raises(engine.DatabaseError) as refused:
            engine.connect(path, read_only=read_only)
        assert engine.code_of(refused.value) == "SQLITE_CANTOPEN"
    assert not list(tmp_path.iterdir())
    engine.connect(path, make=True).close()
    assert path.exists()


def test_read_only_connection_refuses_a_write(tmp_path: Path) -> None:
    path = tmp_path / "softix.db"
    books = engine.connect(path, make=True)
    books.execute("CREATE TABLE notes (text TEXT)")
    reader = engine.connect(path, read_only=True)
    assert reader.execute("SELECT count(*) FROM notes").fetchone() == (0,)
    with pytest.raises(engine.DatabaseError) as refused:
        reader.execute("DELETE FROM notes")
    assert engine.code_of(refused.value) == "SQLITE_READONLY"
    for connection in (reader, books):
        connection.close()


def test_backup_during_an_open_transaction_contains_only_committed_rows(tmp_path: Path) -> None:
    books = engine.connect(tmp_path / "softix.db", make=True)
    writer = engine.connect(tmp_path / "softix.db")
    books.execute("CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES ('committed')")
    writer.execute("BEGIN IMMEDIATE; INSERT INTO notes VALUES ('not yet')")
    engine.back_up(books, tmp_path / "copy.db")
    writer.execute("COMMIT")
    copy = engine.connect(tmp_path / "copy.db", read_only=True)
    assert copy.execute("SELECT text FROM notes").fetchall() == [("committed",)]
    assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    for connection in (copy, writer, books):
        connection.close()


def test_deleted_row_after_a_checkpoint_is_in_no_file(tmp_path: Path) -> None:
    books = engine.connect(tmp_path / "softix.db", make=True)
    books.execute("CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES ('canary-of-a-key')")
    books.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"canary-of-a-key" in (tmp_path / "softix.db").read_bytes()
    books.execute("DELETE FROM notes")
    books.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert all(b"canary-of-a-key" not in file.read_bytes() for file in tmp_path.iterdir())
    books.close()


def test_connection_close_rolls_back_before_it_gives_up_the_turn(tmp_path: Path) -> None:
    path, order = tmp_path / "softix.db", list[object]()
    books = engine.connect(path, make=True)
    books.execute("CREATE TABLE notes (text TEXT)")

    class Turn:
        def close(self) -> None:
            other = engine.connect(path, busy_timeout_ms=0)
            other.execute("BEGIN IMMEDIATE")  # nobody has the lock any more
            order.append(other.execute("SELECT count(*) FROM notes").fetchone())
            other.close()

    books.turn = Turn()  # type: ignore[assignment]
    books.execute("BEGIN IMMEDIATE; INSERT INTO notes VALUES ('x')")
    books.close()
    books.close()
    assert order == [(0,)]

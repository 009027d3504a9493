from contextlib import closing
from pathlib import Path
from typing import BinaryIO

import pytest
from support.books import NOW_US, make_database

from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.instance.backups import GivenOut
from softix_proxy.storage.sqlite.core import engine, replacement
from softix_proxy.storage.sqlite.core.database import Database

MANIFEST = "INSERT INTO manifests (id, body_sha256, head, signature) VALUES (?, zeroblob(32), ?, zeroblob(64))"


def copied(source: BinaryIO, target: BinaryIO) -> None:
    target.write(source.read())


def folder(place: Path) -> Path:
    place.mkdir()
    return place


def with_manifests(database: Database, *heads: str) -> None:
    with closing(database.connect()) as connection:
        connection.executemany(MANIFEST, list(enumerate(heads, 1)))


def manifests(place: Path) -> list[str]:
    with closing(engine.connect(place)) as connection:
        return [head for (head,) in connection.execute("SELECT head FROM manifests ORDER BY id")]


def test_unpacked_file_replaces_what_an_interruption_left(tmp_path: Path) -> None:
    file, target = tmp_path / "file", tmp_path / "softix.db-restoring"
    file.write_bytes(b"books")
    target.write_bytes(b"left over")
    replacement.unpack(file, target, copied, tmp_path)
    assert target.read_bytes() == b"books" and target.stat().st_mode & 0o777 == 0o600
    replacement.remove(target)
    assert not target.exists()


@pytest.mark.parametrize(
    ("text", "number"), [("INV-2026-00042", ("INV-2026-", 42)), ("A1", ("A", 1)), ("R.7-9", ("R.7-", 9))]
)
def test_number_of_a_document_is_its_series_and_its_place(text: str, number: tuple[str, int]) -> None:
    assert replacement.parse_number(text) == number


@pytest.mark.parametrize("text", ["", "42", "INV-2026-", "INV-2026-4x"])
def test_text_without_a_number_is_refused(text: str) -> None:
    with pytest.raises(BadInputError, match="not the number of a document"):
        replacement.parse_number(text)


def test_manifests_since_the_backup_are_carried_over(tmp_path: Path) -> None:
    old, new = make_database(folder(tmp_path / "a")), make_database(folder(tmp_path / "b"))
    with_manifests(old, "one", "two", "three")
    with_manifests(new, "one")
    assert replacement.carry_over(new.path, old.path, ()).manifests == 3
    assert manifests(new.path) == ["one", "two", "three"]
    assert replacement.carry_over(new.path, old.path, ()) == GivenOut(), "a second time changes nothing"


def test_manifests_of_another_chain_are_left_alone(tmp_path: Path) -> None:
    old, new = make_database(folder(tmp_path / "a")), make_database(folder(tmp_path / "b"))
    with_manifests(old, "another", "two")
    with_manifests(new, "one")
    assert replacement.carry_over(new.path, old.path, ()).manifests == 0
    assert manifests(new.path) == ["one"]


def test_numbers_that_are_named_count_if_they_are_higher(tmp_path: Path) -> None:
    new = make_database(folder(tmp_path / "b"))
    damaged = tmp_path / "damaged"
    damaged.write_bytes(b"garbage" * 1000)
    assert replacement.carry_over(new.path, damaged, [("INV-", 7)]).bills == (("INV-", 7),)
    assert replacement.carry_over(new.path, tmp_path / "none", [("INV-", 6)]).bills == ()
    again = make_database(folder(tmp_path / "c"))
    assert replacement.carry_over(again.path, new.path, ()).bills == (("INV-", 7),), (
        "what was carried over once is known"
    )


def test_files_before_are_kept_and_the_log_among_them(tmp_path: Path) -> None:
    database = tmp_path / "softix.db"
    for end, content in (("", b"old"), ("-wal", b"log"), ("-restoring", b"new")):
        database.with_name(f"softix.db{end}").write_bytes(content)
    kept = replacement.put_in_place(database, tmp_path / "softix.db-restoring", NOW_US)
    assert kept is not None and kept.stat().st_mode & 0o777 == 0o700
    assert (kept / "softix.db").read_bytes() == b"old" and (kept / "softix.db-wal").read_bytes() == b"log"
    assert database.read_bytes() == b"new" and not database.with_name("softix.db-wal").exists()
    (tmp_path / "softix.db-restoring").write_bytes(b"newer")
    again = replacement.put_in_place(database, tmp_path / "softix.db-restoring", NOW_US)
    assert again is not None and again != kept and (kept / "softix.db").read_bytes() == b"old"


def test_files_before_are_none_on_a_new_machine(tmp_path: Path) -> None:
    (tmp_path / "softix.db-restoring").write_bytes(b"new")
    assert replacement.put_in_place(tmp_path / "softix.db", tmp_path / "softix.db-restoring", NOW_US) is None
    assert (tmp_path / "softix.db").read_bytes() == b"new"

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.books import make_database

from softix_proxy.storage.sqlite.core.engine import DatabaseError
from softix_proxy.storage.sqlite.core.file_identity import FileIdentity, MovedError


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    database = make_database(tmp_path)
    connection = database.connect()  # keeps the log
    yield database.path
    connection.close()


@pytest.fixture
def place(path: Path) -> FileIdentity:
    place = FileIdentity(path)
    place.check()  # nothing is known yet
    place.remember()
    place.check()
    return place


def refusal(place: FileIdentity) -> tuple[str, str]:
    with pytest.raises(MovedError) as refused:
        place.check()
    assert isinstance(refused.value, DatabaseError)
    return refused.value.code, refused.value.remedy


@pytest.mark.parametrize(("end", "code"), [("", "DATABASE_MOVED"), ("-wal", "DATABASE_LOG_MOVED")])
def test_file_identity_while_the_file_is_moved_away_refuses(
    path: Path, place: FileIdentity, end: str, code: str
) -> None:
    file, away = Path(f"{path}{end}"), path.with_name("away")
    file.rename(away)
    assert refusal(place)[0] == code
    away.rename(file)
    place.check()


@pytest.mark.parametrize(("end", "code"), [("", "DATABASE_MOVED"), ("-wal", "DATABASE_LOG_MOVED")])
def test_file_identity_with_another_file_of_the_same_name_refuses(
    path: Path, place: FileIdentity, end: str, code: str
) -> None:
    file, other = Path(f"{path}{end}"), path.with_name("other")
    other.write_bytes(file.read_bytes())
    other.replace(file)
    told, remedy = refusal(place)
    assert told == code and "restart softix serve" in remedy

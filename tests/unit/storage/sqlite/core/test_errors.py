from pathlib import Path

import pytest
from support.books import failure

from softix_proxy.storage.sqlite.core.engine import DatabaseError
from softix_proxy.storage.sqlite.core.errors import fault_of, unusable
from softix_proxy.storage.sqlite.core.file_identity import MovedError

PATH = Path("/srv/softix.db")


@pytest.mark.parametrize(
    ("error", "code", "said", "to_do"),
    [
        (failure("SQLITE_FULL"), "SQLITE_FULL", "the disk is full", "make room"),
        (OSError(28, "x"), "SQLITE_FULL", "the disk is full", "make room"),
        (failure("SQLITE_IOERR_FSYNC"), "SQLITE_IOERR_FSYNC", "the disk under", "system's log"),
        (failure("SQLITE_BUSY"), "SQLITE_BUSY", "locked by another program", "try again"),
        (failure("SQLITE_READONLY_DIRECTORY"), "SQLITE_READONLY_DIRECTORY", "cannot be written", "owner and mode"),
        (failure("SQLITE_NOTADB"), "SQLITE_NOTADB", "is not a softix database", "--data-dir"),
        (failure("SQLITE_CORRUPT_INDEX"), "SQLITE_CORRUPT_INDEX", "is damaged", "softix doctor"),
        (failure("SQLITE_CANTOPEN"), "SQLITE_CANTOPEN", "cannot be opened", "owner and mode"),
        (OSError(27, "x"), "SQLITE_IOERR_WRITE", "the disk under", "limit on the size"),
        (PermissionError(13, "x"), "SQLITE_READONLY", "cannot be written", "owner and mode"),
        (FileNotFoundError(2, "x"), "SQLITE_CANTOPEN", "cannot be opened", "that it is there"),
        (MovedError("DATABASE_MOVED", "{place} is away", "put it back"), "DATABASE_MOVED", "is away", "put it back"),
        (DatabaseError("canary of a value"), "Error", "cannot use", "softix doctor"),
    ],
)
def test_fault_of_each_cause_has_a_code_a_message_and_a_remedy(
    error: Exception, code: str, said: str, to_do: str
) -> None:
    cause = fault_of(error)
    assert (cause.code, said in cause.message, to_do in cause.remedy) == (code, True, True), cause
    assert "canary" not in cause.message and "{" not in cause.message


def test_unusable_error_contains_the_path_in_its_message_and_not_in_its_reason() -> None:
    told = unusable(PATH, failure("SQLITE_CORRUPT"))
    assert told.message == "/srv/softix.db is damaged"
    assert (told.code, told.reason) == ("SQLITE_CORRUPT", "the database is damaged")

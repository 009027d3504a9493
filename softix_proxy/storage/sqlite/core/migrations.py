"""Applies numbered SQL in order, in one transaction under the write lock."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from sqlite3 import complete_statement

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.storage.sqlite.core.engine import DatabaseError, SqliteConnection, code_of

_SCHEMA = Path(__file__).parents[1] / "schema"
_HASH = "migration:"
_KEEP_HASH = "INSERT OR REPLACE INTO instance (name, value) VALUES (?, ?)"
APPLICATION_ID = 0x50F71C
"""The number that marks the file as softix's in SQLite's header."""


def available() -> list[tuple[int, str, Path]]:
    """Returns the number, the name and the folder of each migration, in order."""
    folders = (folder for folder in _SCHEMA.iterdir() if folder.is_dir())
    named = [(folder.name.partition("_"), folder) for folder in folders if folder.name[:4].isdigit()]
    return sorted((int(number), name, folder) for (number, _, name), folder in named)


def latest() -> int:
    return available()[-1][0]


def current(connection: SqliteConnection) -> int:
    """Returns the schema version of an open database, or 0 if it is empty.

    Raises FailureError if it is not softix's.
    """
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    mark = int(connection.execute("PRAGMA application_id").fetchone()[0])
    if mark not in (0, APPLICATION_ID) or (mark == 0 and version):
        raise FailureError("the database file belongs to another program", "name another one with --data-dir")
    return version


def refuse_newer(version: int) -> None:
    if version > latest():
        raise FailureError(
            f"the database is of schema {version}, this softix knows up to {latest()}",
            "install the newer softix again; nothing was changed",
        )


def require_latest(version: int) -> None:
    """Raises FailureError with the command that brings the schema that this program needs."""
    refuse_newer(version)
    if not version:
        raise FailureError("the database is empty", "run: softix init")
    if version < latest():
        raise FailureError(
            f"the database is of schema {version}, this softix needs schema {latest()}",
            "stop softix serve, then run: softix migrate; it makes a backup first",
        )


def pending(version: int) -> list[tuple[int, str, Path]]:
    """Returns the migrations that the database lacks. Raises FailureError if it is newer than this program."""
    refuse_newer(version)
    return [each for each in available() if each[0] > version]


def migrate(connection: SqliteConnection) -> list[str]:
    """Brings the database to the latest schema, and returns the names of the steps. All of it takes effect, or nothing.

    Raises FailureError if the database is newer than this program, or if a step fails.
    """
    if not pending(current(connection)):
        return []
    connection.execute("BEGIN EXCLUSIVE")
    try:
        applied = apply(connection)
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    return applied


def apply(connection: SqliteConnection) -> list[str]:
    """Applies the missing steps within the caller's transaction. Raises FailureError if one fails."""
    applied = []
    for number, name, folder in pending(current(connection)):
        try:
            for statement in split(folder.joinpath("up.sql").read_text("utf-8")):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number:d}")
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID:d}")
        except DatabaseError as error:
            reason = code_of(error)
            raise FailureError(
                f"migration {number:04d}_{name} failed: {reason}",
                "nothing was changed; see: softix doctor",
            ) from None
        applied.append(f"{number:04d}_{name}")
        connection.execute(_KEEP_HASH, (f"{_HASH}{number:04d}", hash_of(folder)))
    return applied


def hash_of(folder: Path) -> bytes:
    """Returns the hash of what a migration does."""
    return sha256(folder.joinpath("up.sql").read_bytes()).digest()


def known_hashes(connection: SqliteConnection) -> Mapping[int, bytes]:
    """Returns the hash of each migration as it was when it ran, as far as it was kept."""
    rows = connection.execute("SELECT name, value FROM instance WHERE name GLOB 'migration:*'").fetchall()
    return {int(name.removeprefix(_HASH)): bytes(value) for name, value in rows}


def why(folder: Path) -> str:
    """Returns the first sentence of a migration's note."""
    lines = folder.joinpath("note.md").read_text("utf-8").splitlines()
    text = " ".join(line.strip("- ") for line in lines if line and not line.startswith("#"))
    return text.partition(". ")[0].rstrip(".") + "."


def split(script: str) -> list[str]:
    """Returns the statements of a script, with triggers kept whole. `executescript` would commit on its own."""
    statements, pending = [], ""
    for line in script.splitlines(keepends=True):
        pending += line
        if complete_statement(pending):
            statements.append(pending.strip())
            pending = ""
    return [statement for statement in statements if statement]

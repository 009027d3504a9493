"""Puts a backup in the place of the database, and carries over which numbers were given out since.

The files that were there are kept in a folder of their own. They are moved only after the new file was examined, and
when nobody works on the database. If this is cut off between two moves, there is no database, which every command
says, and the same restore can be run again.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import BinaryIO

from softix_proxy.domain.core.clock import from_us
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.instance import ownership
from softix_proxy.domain.instance.backups import GivenOut
from softix_proxy.storage.sqlite.core import engine, migrations
from softix_proxy.storage.sqlite.core.engine import DatabaseError, SqliteConnection
from softix_proxy.storage.sqlite.core.errors import unusable

OpenSealed = Callable[[BinaryIO, BinaryIO], None]
"""Decrypts a file if it is sealed, and copies it as it is if not."""
_NUMBER = re.compile(r"(.*\D)(\d{1,15})", re.ASCII)
_PREFIX = "given_out:"
_SERIES = """
SELECT series, max(sequence) FROM (
  SELECT series, sequence FROM bills
  UNION ALL
  SELECT substr(name, 11), CAST(CAST(value AS TEXT) AS INTEGER) FROM instance WHERE name GLOB 'given_out:*'
) GROUP BY series ORDER BY series"""
_KEEP = "INSERT OR REPLACE INTO instance (name, value) VALUES (?, ?)"
_MANIFESTS = "SELECT id, body_sha256, head, signature FROM manifests ORDER BY id"
_ADD_MANIFEST = "INSERT INTO manifests (id, body_sha256, head, signature) VALUES (?, ?, ?, ?)"


def unpack(file: Path, target: Path, open_sealed: OpenSealed, like: Path) -> None:
    """Writes the database of a backup into a new file of mode 0600. Raises OSError, or FailureError."""
    remove(target)
    with file.open("rb") as source, os.fdopen(ownership.open_or_make(target, like), "wb") as made:
        open_sealed(source, made)
        made.flush()
        os.fsync(made.fileno())


def remove(target: Path) -> None:
    """Removes a file that was unpacked, with those beside it."""
    for end in ("", "-wal", "-shm", "-turn", "-turn-next"):
        target.with_name(target.name + end).unlink(missing_ok=True)


def migrate(place: Path) -> list[str]:
    """Brings the unpacked database to the schema of this program. Raises FailureError."""
    try:
        with closing(engine.connect(place)) as connection:
            return migrations.migrate(connection)
    except DatabaseError as error:
        raise unusable(place, error) from None


def parse_number(text: str) -> tuple[str, int]:
    """Returns the series and the number within it of a document. Raises BadInputError."""
    found = _NUMBER.fullmatch(text)
    if found is None:
        remedy = "write it as it is printed, such as INV-2026-00042"
        raise BadInputError(f"not the number of a document: {text!r}", remedy)
    return found[1], int(found[2])


def carry_over(place: Path, before: Path, told: Sequence[tuple[str, int]]) -> GivenOut:
    """Keeps in the unpacked database which numbers the one before gave out, and those that the operator names.

    Manifests are carried over themselves, because each one names the one before it. Raises FailureError.
    """
    series, manifests = _given_out(before)
    for name, number in told:
        series[name] = max(series.get(name, 0), number)
    try:
        with closing(engine.connect(place)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            known = dict(connection.execute(_SERIES).fetchall())
            newer = {name: number for name, number in series.items() if number > known.get(name, 0)}
            connection.executemany(_KEEP, [(f"{_PREFIX}{name}", str(last).encode()) for name, last in newer.items()])
            last = _add_manifests(connection, manifests)
            connection.execute("COMMIT")
    except DatabaseError as error:
        raise unusable(place, error) from None
    return GivenOut(tuple(sorted(newer.items())), last)


def _given_out(before: Path) -> tuple[dict[str, int], Sequence[tuple[object, ...]]]:
    """Returns the last number of each series, and the manifests. Both are empty if the file cannot be read."""
    if before.exists():
        with suppress(DatabaseError, OSError), closing(engine.connect(before)) as connection:
            return dict(connection.execute(_SERIES).fetchall()), connection.execute(_MANIFESTS).fetchall()
    return {}, ()


def _add_manifests(connection: SqliteConnection, manifests: Sequence[tuple[object, ...]]) -> int:
    """Adds the manifests that continue the chain. Returns the number of the last one added, or 0."""
    present: Mapping[object, object] = {row[0]: row[2] for row in connection.execute(_MANIFESTS)}
    if any(present.get(row[0], row[2]) != row[2] for row in manifests):
        return 0  # the chains have parted before: this is a backup of another instance, or from before a restore
    added = [row for row in manifests if row[0] not in present]
    connection.executemany(_ADD_MANIFEST, added)
    return int(str(added[-1][0])) if added else 0


def put_in_place(database: Path, unpacked: Path, now_us: int) -> Path | None:
    """Moves the files of the database into a folder, and the unpacked one to its place. Returns the folder.

    Raises OSError.
    """
    kept = None
    files = [database.with_name(database.name + end) for end in ("", "-wal", "-shm")]
    if any(file.exists() for file in files):
        kept = _new_folder(database, now_us)
        for file in files:  # the database first: without its log it would look whole, and lack the newest rows
            if file.exists():
                file.rename(kept / file.name)
    unpacked.rename(database)
    _sync(database.parent)
    return kept


def _new_folder(database: Path, now_us: int) -> Path:
    stem, number = f"{database.name}-before-restore-{from_us(now_us):%Y%m%dT%H%M%SZ}", 1
    folder = database.with_name(stem)
    while folder.exists():
        number += 1
        folder = database.with_name(f"{stem}-{number}")
    ownership.make_folder(folder, database)
    return folder


def _sync(place: Path) -> None:
    descriptor = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

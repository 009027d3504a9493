"""Copies a database while it is in use, and examines a copy.

The copy is of one moment: a read transaction holds it. Without one, SQLite would begin again with every write of
another process. Pages are copied in small steps with pauses, and synced often, so that a commit of the daemon never
waits for a long write to the same disk.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.instance import ownership
from softix_proxy.domain.instance.backups import BookCounts
from softix_proxy.storage.sqlite.core import engine, migrations
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.core.engine import DatabaseError, SqliteConnection
from softix_proxy.storage.sqlite.core.errors import unusable
from softix_proxy.storage.sqlite.core.wide_sums import split_sum, whole

_STEP_PAGES = 64
_SYNC_STEPS = 16
_PAUSE_S = 0.002
_ANOTHER = "take another backup"
_COUNTS = f"""
SELECT (SELECT count(*) FROM usage WHERE id <= ?1),
       (SELECT count(*) FROM transfers WHERE id <= ?1),
       charge_m, charge_rest,
       max(coalesce((SELECT max(id) FROM usage WHERE id <= ?1), 0),
           coalesce((SELECT max(id) FROM transfers WHERE id <= ?1), 0))
FROM (SELECT {split_sum("charge_pico", "charge")} FROM usage WHERE id <= ?1)"""
_EVER = (1 << 63) - 1


class CopiedDatabase(NamedTuple):
    schema: int
    at_us: int
    """The moment whose rows the copy has: what was committed before is in it."""


def copy(database: Database, target: Path) -> CopiedDatabase:
    """Copies the database into a new file of mode 0600. It blocks. Raises FailureError, and then there is no file."""
    descriptor = -1
    try:
        descriptor = ownership.open_or_make(target, database.path)
        with closing(database.connect()) as source:
            at_us = database.clock.now_us()
            source.execute("BEGIN")
            schema = migrations.current(source)  # the first statement fixes the moment
            _copy_pages(source, target, descriptor)
        os.fsync(descriptor)
    except (OSError, DatabaseError) as error:
        target.unlink(missing_ok=True)
        raise unusable(target if isinstance(error, OSError) else database.path, error, target) from None
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    finally:
        if descriptor >= 0:
            os.close(descriptor)
    return CopiedDatabase(schema, at_us)


def _copy_pages(source: SqliteConnection, target: Path, descriptor: int) -> None:
    pause = threading.Event()
    with closing(engine.connect_copy(target)) as copied, copied.backup("main", source, "main") as backup:
        steps = 0
        while not backup.done:
            backup.step(_STEP_PAGES)
            steps += 1
            if steps % _SYNC_STEPS == 0:
                os.fdatasync(descriptor)
            pause.wait(_PAUSE_S)


def require_whole(place: Path, shown: Path) -> int:
    """Returns the schema of a copy. Raises FailureError if it is no database of softix, damaged, or of a newer one."""
    try:
        with closing(engine.connect(place)) as connection:
            schema = migrations.current(connection)
            migrations.refuse_newer(schema)
            if not schema:
                raise FailureError(f"{shown} is an empty database", _ANOTHER)
            damage = _damage(connection)
    except (OSError, DatabaseError) as error:
        raise unusable(shown, error, place) from None
    if damage:
        raise FailureError(f"{shown} is damaged: {damage[0]}", _ANOTHER)
    return schema


def _damage(connection: SqliteConnection) -> Sequence[str]:
    rows = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(10)")]
    dangling = {str(row[0]) for row in connection.execute("PRAGMA foreign_key_check")}
    return [*(row for row in rows if row != "ok"), *(f"rows of {table} refer to missing ones" for table in dangling)]


def counts(place: Path, until_us: int = _EVER) -> BookCounts:
    """Returns how much the books have in rows with numbers up to this one. Raises FailureError."""
    try:
        with closing(engine.connect(place)) as connection:
            [row] = connection.execute(_COUNTS, (until_us,)).fetchall()
    except (OSError, DatabaseError) as error:
        raise unusable(place, error) from None
    usage_rows, transfers, millions, rest, last = row
    return BookCounts(usage_rows, transfers, whole(millions, rest), last)

"""Brings an older database to the current schema: it makes a backup, and then runs all steps in one transaction.

The write lock is held from the backup on, so that the backup has every row that was written before. Nobody may serve
meanwhile, because a process that read the older schema would write by it.
"""

from __future__ import annotations

import os
import shutil
from contextlib import closing, suppress
from pathlib import Path

from softix_proxy.domain.core.clock import from_us
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.instance import ownership
from softix_proxy.domain.instance.migrations import Migrated, MigrationPlan, Step
from softix_proxy.storage.sqlite.core import engine, migrations, slots
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.core.engine import DatabaseError, SqliteConnection
from softix_proxy.storage.sqlite.core.errors import unusable

_SPARE_BYTES = 64 << 20
"""The space that must remain besides the backup, for the steps themselves and for the books to continue."""

_SIZE_BYTES = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"


def plan(database: Database, backup_dir: Path | None = None) -> MigrationPlan:
    """Returns what `migrate` would do, without a change. Raises FailureError if it could not be done at all."""
    version = database.version()
    try:
        with closing(database.connect()) as connection:
            return _plan(database, connection, version, backup_dir, slots.living(database.path))
    except (OSError, DatabaseError) as error:
        raise unusable(database.path, error) from None


def migrate(database: Database, backup_dir: Path | None = None) -> Migrated:
    """Migrates the database. If it raises FailureError, nothing was changed."""
    version = database.version()
    if version == migrations.latest():
        return Migrated(database.path, version, version)
    try:
        with slots.shut(database.path) as living, closing(database.connect_in_turn()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            version = migrations.current(connection)  # another process may have been faster
            planned = _plan(database, connection, version, backup_dir, living)
            if planned.obstacle is not None:
                raise FailureError(*planned.obstacle)
            return _applied(database, connection, planned)
    except (OSError, DatabaseError) as error:
        raise unusable(database.path, error) from None


def _plan(
    database: Database, connection: SqliteConnection, version: int, backup_dir: Path | None, living: tuple[int, ...]
) -> MigrationPlan:
    if not version:
        migrations.require_latest(version)
    [(size_bytes,)] = connection.execute(_SIZE_BYTES).fetchall()
    folder = backup_dir or database.path.parent
    return MigrationPlan(
        database=database.path,
        schema=version,
        needed_schema=migrations.latest(),
        steps=tuple(Step(number, name, migrations.why(at)) for number, name, at in migrations.pending(version)),
        backup_dir=folder,
        needed_bytes=size_bytes + _SPARE_BYTES,
        free_bytes=shutil.disk_usage(folder).free,
        slots=living,
    )


def _applied(database: Database, connection: SqliteConnection, planned: MigrationPlan) -> Migrated:
    if not planned.steps:
        return Migrated(database.path, planned.schema, planned.schema)
    backup = _back_up(database, planned)
    try:
        applied = migrations.apply(connection)
    except BaseException:  # closing the connection rolls back; repeated tries must not fill the disk
        backup.unlink()
        raise
    connection.execute("COMMIT")  # if this fails, the state of the disk is unknown, so the backup stays
    return Migrated(database.path, planned.schema, planned.needed_schema, tuple(applied), backup)


def _back_up(database: Database, planned: MigrationPlan) -> Path:
    """Makes the backup. It has another name until it is complete and on the disk."""
    stem = f"{database.path.name}-schema-{planned.schema:04d}"
    partial = planned.backup_dir / f"{stem}.partial"
    partial.unlink(missing_ok=True)
    os.close(ownership.open_or_make(partial, planned.backup_dir))
    try:
        with closing(database.connect()) as source:
            engine.back_up(source, partial)
        with closing(engine.connect(partial)) as target:  # closing it removes the files beside it
            if migrations.current(target) != planned.schema:
                raise FailureError("the backup is not what the database is", "nothing was changed; try again")
        _sync(partial)
        at = from_us(database.clock.now_us()).strftime("%Y%m%dT%H%M%SZ")
        whole = _free_name(planned.backup_dir / f"{stem}-{at}")
        partial.rename(whole)
        _sync(planned.backup_dir)
    except BaseException:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise
    return whole


def _free_name(stem: Path) -> Path:
    """Returns an unused name. A backup is never overwritten, not even by another one of the same second."""
    place, number = stem.with_name(f"{stem.name}.backup"), 1
    while place.exists():
        number += 1
        place = stem.with_name(f"{stem.name}-{number}.backup")
    return place


def _sync(place: Path) -> None:
    descriptor = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

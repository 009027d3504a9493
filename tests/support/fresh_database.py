"""New databases by copying one: to make the schema by all migrations was a third of many tests."""

from __future__ import annotations

import functools

from softix_proxy.storage.sqlite.core import migrations
from softix_proxy.storage.sqlite.core.engine import SqliteConnection

really_migrate = migrations.migrate


@functools.cache
def _migrated(available: tuple[object, ...]) -> tuple[bytes, tuple[str, ...]]:
    """What these migrations make of an empty database, and their names. Once for each process."""
    connection = SqliteConnection(":memory:")
    steps = really_migrate(connection)
    made = connection.serialize("main")
    connection.close()
    return made, tuple(steps)


def copy_or_migrate(connection: SqliteConnection) -> list[str]:
    """Does what `migrations.migrate` does: an empty database becomes a copy, and any other is migrated."""
    if migrations.current(connection):
        return really_migrate(connection)
    made, steps = _migrated(tuple(migrations.available()))
    source = SqliteConnection(":memory:")
    source.deserialize("main", made)
    with connection.backup("main", source, "main") as backup:
        backup.step(-1)
    source.close()
    return list(steps)

"""Checks whether the database exists and is undamaged, and whether its engine is sound."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import AsyncIterator

from softix_proxy.doctor.check_context import CheckContext
from softix_proxy.doctor.findings import Observation, error, ok, warning

_LARGE_LOG_BYTES = 256 << 20
_RESTORE = "stop softix, keep a copy of the data directory, and restore the latest backup"


async def find(context: CheckContext) -> AsyncIterator[Observation]:
    """Finds a database that is missing, unsound, or damaged."""
    health = context.health
    library, remedy = health.library()
    if remedy:
        yield error(f"{library} can lose committed rows (WAL-reset bug)", remedy)
    else:
        yield ok(f"{library} is sound")
    if not health.path.is_file():
        yield error(f"there is no database at {health.path}", "run: softix init; or restore a backup")
        return
    await to_thread(health.schema)  # raises if the file belongs to another program
    damage = await to_thread(health.damage)
    if damage:
        yield error(f"{health.path} is damaged: {damage[0]}", _RESTORE)
    else:
        yield ok(f"{health.path} is whole")
    for table in await to_thread(health.dangling):
        yield error(f"rows of {table} refer to rows that are not there", _RESTORE)
    mode = await to_thread(health.journal_mode)
    if mode != "wal":
        yield warning(
            f"the database is in journal mode {mode}, not wal", "put it on a local disk, and restart softix serve"
        )
    log_bytes = health.log_bytes()
    if log_bytes > _LARGE_LOG_BYTES:
        yield warning(
            f"the write-ahead log has grown to {log_bytes >> 20} MiB",
            "let long exports end, then restart softix serve",
        )

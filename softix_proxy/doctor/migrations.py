"""Checks whether the database has the schema of this program."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import AsyncIterator

from softix_proxy.doctor.check_context import CheckContext
from softix_proxy.doctor.findings import Observation, error, ok, warning


async def find(context: CheckContext) -> AsyncIterator[Observation]:
    present, known = await to_thread(context.health.schema)
    if present == known:
        faults = await to_thread(context.health.schema_faults)
        for message, remedy in faults:
            yield error(message, remedy)
        if not faults:
            yield ok(f"schema {present} is up to date, and what its migrations make")
    elif present > known:
        yield error(
            f"the database is of schema {present}, this softix knows up to {known}",
            "install the newer softix again, or restore the backup made before its migration",
        )
    elif present:
        yield warning(
            f"a migration is pending: the database is of schema {present}, this softix needs schema {known}",
            "stop softix serve, then run: softix migrate; it makes a backup first",
        )
    else:
        yield error("the database is empty", "run: softix init")

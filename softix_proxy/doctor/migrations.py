"""Is the database's schema the one of this program?"""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import AsyncIterator

from softix_proxy.doctor.findings import Found, error, ok, warning
from softix_proxy.doctor.patient import Patient


async def find(patient: Patient) -> AsyncIterator[Found]:
    present, known = await to_thread(patient.health.schema)
    if present == known:
        yield ok(f"schema {present} is up to date")
    elif present > known:
        yield error(
            f"the database is of schema {present}, this softix knows up to {known}", "install the newer softix again"
        )
    elif present:
        yield warning(
            f"the database is of schema {present}, this softix is at {known}",
            "make a backup, then run: softix init (every other command brings it up to date too)",
        )
    else:
        yield error("the database is empty", "run: softix init")

"""What the doctor examines: an instance that may be damaged, which is only read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from softix_proxy.assembly.instance import master_key_store
from softix_proxy.assembly.mailing import LateMailInspection
from softix_proxy.domain.core.clock import SystemClock

if TYPE_CHECKING:
    from softix_proxy.doctor.check_context import CheckContext
    from softix_proxy.settings import Settings

_DAEMON_TIMEOUT_S = 3


@asynccontextmanager
async def open_check_context(settings: Settings, *, offline: bool) -> AsyncIterator[CheckContext]:
    """Opens the context for the doctor. It opens even a damaged database, only reads, and migrates nothing."""
    from softix_proxy.doctor.check_context import CheckContext
    from softix_proxy.storage.sqlite.instance.inspection import DatabaseInspection, ReadOnlyDatabase
    from softix_proxy.storage.sqlite.unit import SqliteStorage
    from softix_proxy.upstream.probe import fetch

    clock = SystemClock()
    database = ReadOnlyDatabase(settings.paths.database, clock, settings.storage.busy_timeout_ms)
    await database.open()
    try:
        storage = SqliteStorage(database)
        context = CheckContext(
            settings=settings,
            storage=storage,
            health=DatabaseInspection(database),
            keys=master_key_store(settings),
            clock=clock,
            fetch=None if offline else partial(fetch, ca_file=settings.upstream.ca_file),
            daemon=partial(fetch, timeout_s=_DAEMON_TIMEOUT_S, verify=False),
            mail=LateMailInspection(settings, storage, lambda: context.vault()),
        )
        yield context
    finally:
        await database.close()

"""The one place that wires rooms together and names adapters. Imports late, so that `softix --help` is quick."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from softix_proxy.domain.clock import Clock, SystemClock

if TYPE_CHECKING:
    from softix_proxy.domain.ports import Storage
    from softix_proxy.domain.vault import Vault
    from softix_proxy.settings import Settings
    from softix_proxy.storage.database import Database


def read_settings(config: Path | None, data_dir: Path | None) -> Settings:
    """From the file, the environment and the defaults. Raises BadInputError."""
    from softix_proxy import settings

    return settings.load(config, data_dir, os.environ)


@dataclass
class Office:
    """An opened instance, for commands: its books, its vault, its settings."""

    settings: Settings
    storage: Storage
    clock: Clock
    database: Database

    async def vault(self) -> Vault:
        """Opens with the master key. Raises FailureError where it is missing or not this instance's."""
        raise NotImplementedError


@asynccontextmanager
async def open_office(settings: Settings) -> AsyncIterator[Office]:
    """Raises FailureError where there is no database, or it is too new or cannot be read."""
    from softix_proxy.storage.database import Database
    from softix_proxy.storage.storage import SqliteStorage

    clock = SystemClock()
    database = await Database(settings.paths.database, clock, settings.storage.busy_timeout_ms).open()
    try:
        yield Office(settings, SqliteStorage(database), clock, database)
    finally:
        await database.close()

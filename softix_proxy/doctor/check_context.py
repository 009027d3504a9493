"""What the checks look at. All of it can be damaged, and any of it may raise."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from softix_proxy.doctor.findings import Observation
from softix_proxy.domain.core.clock import Clock
from softix_proxy.domain.metering.settlement import Orphan
from softix_proxy.domain.ports.storage import Storage
from softix_proxy.domain.ports.upstream import Fetch
from softix_proxy.domain.ports.vault import MasterKeys, Vault
from softix_proxy.operations.instance import instance
from softix_proxy.settings import Settings


class DatabaseHealth(Protocol):
    """Below the books: the file itself. Each verb blocks, and takes no lock that a writer would wait for."""

    @property
    def path(self) -> Path: ...

    def library(self) -> tuple[str, str]:
        """The engine's name and version, and what to do where it has a bug that loses rows; else nothing."""
        ...

    def schema(self) -> tuple[int, int]:
        """The version of the database, and the one of this program. Raises FailureError if the file is not ours."""
        ...

    def damage(self) -> Sequence[str]:
        """Some of what does not fit together in the file; empty where it is whole. Reads all of it."""
        ...

    def dangling(self) -> Sequence[str]:
        """Tables with rows that refer to rows that are not there."""
        ...

    def journal_mode(self) -> str: ...

    def log_bytes(self) -> int:
        """The size of the write-ahead log."""
        ...

    def last_posted_us(self) -> int:
        """When the newest row of the books was posted; 0 where there is none."""
        ...

    def abandoned(self) -> Sequence[Orphan]:
        """Some open requests whose process is dead."""
        ...

    def files(self) -> Sequence[Path]:
        """The database's files and folders, those that are there."""
        ...


@dataclass(frozen=True, slots=True)
class CheckContext:
    """Gives checks what they look at: the settings, the database, the master key and the running daemon."""

    settings: Settings
    storage: Storage
    health: DatabaseHealth
    keys: MasterKeys
    clock: Clock
    fetch: Fetch | None
    """None: nothing is to be sent to providers."""
    daemon: Fetch
    """Asks the daemon of this instance, whatever name its certificate has."""

    async def vault(self) -> Vault:
        """Raises FailureError where the master key is missing or another one."""
        identity = await instance.require_identity(self.storage.reading())
        return await asyncio.to_thread(self.keys.open, identity)


DoctorCheck = Callable[[CheckContext], AsyncIterator[Observation]]
"""Yields at least one finding. What it raises becomes a finding too, after those that came before."""

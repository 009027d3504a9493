"""The subjects of the checks. All of them can be damaged, and any of them may raise."""

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
    """The state of the database file, below the ledger.

    Each method blocks, and takes no lock for which a writer would wait.
    """

    @property
    def path(self) -> Path: ...

    def library(self) -> tuple[str, str]:
        """Returns the engine's name and version, and the remedy if it has a bug that loses rows, or else an empty
        text.
        """
        ...

    def schema(self) -> tuple[int, int]:
        """Returns the schema of the database, and the one of this program.

        Raises FailureError if the file is not softix's.
        """
        ...

    def schema_faults(self) -> Sequence[tuple[str, str]]:
        """Returns how the schema differs from the one of this program, each with a remedy.

        It is of use only if the database is of the schema of this program.
        """
        ...

    def damage(self) -> Sequence[str]:
        """Returns some of the inconsistencies in the file, or nothing if it is whole. Reads all of the file."""
        ...

    def dangling(self) -> Sequence[str]:
        """Returns the tables with rows that refer to missing rows."""
        ...

    def journal_mode(self) -> str: ...

    def log_bytes(self) -> int:
        """Returns the size of the write-ahead log."""
        ...

    def last_posted_us(self) -> int:
        """Returns when the newest row of the ledger was posted, or 0 if there is none."""
        ...

    def abandoned(self) -> Sequence[Orphan]:
        """Returns some open requests whose process is dead."""
        ...

    def files(self) -> Sequence[Path]:
        """Returns the files and folders of the database that exist."""
        ...


class MailHealth(Protocol):
    """The way of messages to people."""

    async def server(self) -> None:
        """Connects to the mail server and logs in, and sends nothing. Raises DeliveryError."""
        ...

    def broken_templates(self) -> Sequence[str]:
        """Returns the kinds of messages that the operator's templates cannot make."""
        ...


@dataclass(frozen=True, slots=True)
class CheckContext:
    """The subjects of the checks: the settings, the database, the master key and the running daemon."""

    settings: Settings
    storage: Storage
    health: DatabaseHealth
    keys: MasterKeys
    clock: Clock
    fetch: Fetch | None
    """The client to providers. None means that nothing may be sent to them."""
    daemon: Fetch
    """The client to the daemon of this instance. It accepts any name in the daemon's certificate."""
    mail: MailHealth

    async def vault(self) -> Vault:
        """Opens the vault. Raises FailureError if the master key is missing or is another one."""
        identity = await instance.require_identity(self.storage.reading())
        return await asyncio.to_thread(self.keys.open, identity)


DoctorCheck = Callable[[CheckContext], AsyncIterator[Observation]]
"""Yields at least one finding. An exception becomes a finding too, after those that came before."""

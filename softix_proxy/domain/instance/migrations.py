"""What brings a database to the schema of this program, and what was done."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple


class Step(NamedTuple):
    """One migration."""

    number: int
    name: str
    why: str
    """The first sentence of its note."""


@dataclass(frozen=True, slots=True)
class MigrationPlan:
    """What `softix migrate` would do now."""

    database: Path
    schema: int
    """What the database has."""
    needed_schema: int
    """What this program works with."""
    steps: tuple[Step, ...]
    backup_dir: Path
    needed_bytes: int
    """Room for the backup, and some to go on with."""
    free_bytes: int
    slots: tuple[int, ...]
    """Of the processes that work on the database."""

    @property
    def obstacle(self) -> tuple[str, str] | None:
        """What keeps it from being done, and what to do; None where nothing does."""
        if not self.steps:
            return None
        if self.slots:
            return (
                f"softix serves {self.database} (slot {self.slots[0]}), and would go on with the older schema",
                "stop softix serve, then try again",
            )
        if self.free_bytes < self.needed_bytes:
            needed, free = (f"{-(-size_bytes >> 20)} MiB" for size_bytes in (self.needed_bytes, self.free_bytes))
            return (
                f"the backup needs {needed} in {self.backup_dir}, where {free} are free",
                "make room, or name another folder: softix migrate --backup-dir DIR",
            )
        return None


@dataclass(frozen=True, slots=True)
class Migrated:
    """What was done; nothing where the database was up to date."""

    database: Path
    schema_before: int
    schema: int
    applied: tuple[str, ...] = ()
    backup: Path | None = None

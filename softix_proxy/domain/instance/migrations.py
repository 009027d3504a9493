"""The migrations that bring a database to the schema of this program, and their results."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple


class Step(NamedTuple):
    """One migration."""

    number: int
    name: str
    why: str
    """The reason: the first sentence of its note."""


@dataclass(frozen=True, slots=True)
class MigrationPlan:
    """The steps that `softix migrate` would take now."""

    database: Path
    schema: int
    """The schema of the database."""
    needed_schema: int
    """The schema that this program needs."""
    steps: tuple[Step, ...]
    backup_dir: Path
    needed_bytes: int
    """The room for the backup, with a reserve."""
    free_bytes: int
    slots: tuple[int, ...]
    """The slots of the processes that work on the database."""

    @property
    def obstacle(self) -> tuple[str, str] | None:
        """The obstacle to the migration and its remedy. It is None if there is no obstacle."""
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
    """The result of a migration. Nothing was applied if the database was up to date."""

    database: Path
    schema_before: int
    schema: int
    applied: tuple[str, ...] = ()
    backup: Path | None = None

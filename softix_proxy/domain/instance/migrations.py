"""The migrations that bring a database to the schema of this program, and their results."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from softix_proxy.domain.core.ids import CORRECTIONS_SLOT

FIRST_WITHOUT_REQUESTS = CORRECTIONS_SLOT + 1
"""The first slot of processes that admit no requests: no request and no intent ever has it."""


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

    def _programs(self) -> list[str]:
        """Returns the programs that have these slots."""
        kinds = {slot >= FIRST_WITHOUT_REQUESTS for slot in self.slots}
        return [name for name, kind in (("softix serve", False), ("softix portal", True)) if kind in kinds]

    @property
    def obstacle(self) -> tuple[str, str] | None:
        """The obstacle to the migration and its remedy. It is None if there is no obstacle."""
        if not self.steps:
            return None
        if self.slots:
            return (
                f"softix serves {self.database} (slot {self.slots[0]}), and would go on with the older schema",
                f"stop {' and '.join(self._programs())}, then try again",
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

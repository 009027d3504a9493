"""The projects of an organisation: keys belong to them, and a budget can limit what they spend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

PROJECT_PREFIX = "prj_"


@dataclass(frozen=True, slots=True)
class Project:
    id: int
    public_id: str
    """The id by which pages and commands name it: `prj_` and letters."""
    user_id: int
    """The number of the organisation."""
    name: str
    created_at_us: int
    archived_at_us: int | None = None
    """When it ended. An archived project keeps its usage, and gets no more keys."""


class ProjectStore(Protocol):
    """Stores projects. Each is of one organisation, and found in no other."""

    async def add(self, project: Project) -> Project:
        """Adds a project. `project.id` is ignored and assigned. Raises ConflictError if the name is taken."""
        ...

    async def find(self, user_id: int, reference: str) -> Project | None:
        """Finds a project of this organisation by its public id, or by the name of one that is not archived."""
        ...

    async def list(self, user_id: int) -> Sequence[Project]:
        """Returns the organisation's projects, the oldest first, and the archived ones too."""
        ...

    async def update(self, project: Project) -> None:
        """Writes the name and the time of archiving. Raises ConflictError if the name is taken."""
        ...

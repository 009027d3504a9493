"""The rows of projects."""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.domain.core.errors import ConflictError, NotFoundError
from softix_proxy.domain.organisations.projects import PROJECT_PREFIX, Project
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.core.engine import IntegrityError
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping

_PROJECT = RecordMapping(Project, "id", "public_id", "user_id", "name", "created_at_us", "archived_at_us")
_SELECT = f"SELECT {_PROJECT.select()} FROM projects"


class SqliteProjectStore:
    """Stores projects. An archived one keeps its row, and its name is free again."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def add(self, project: Project) -> Project:
        columns = _PROJECT.row(project, "public_id", "user_id", "name", "created_at_us", "archived_at_us")
        try:
            number = await self._session.insert("projects", columns)
        except IntegrityError:
            raise _taken(project) from None
        row = await self._session.one(f"{_SELECT} WHERE id = ?", number)
        if row is None:
            raise NotFoundError(f"no project with the number {number}")
        return _PROJECT.read(row)

    async def find(self, user_id: int, reference: str) -> Project | None:
        which = "public_id = ?" if reference.startswith(PROJECT_PREFIX) else _BY_NAME
        row = await self._session.one(f"{_SELECT} WHERE user_id = ? AND {which}", user_id, reference)
        return _PROJECT.read(row) if row else None

    async def list(self, user_id: int) -> Sequence[Project]:
        return _PROJECT.read_all(await self._session.all(f"{_SELECT} WHERE user_id = ? ORDER BY id", user_id))

    async def update(self, project: Project) -> None:
        try:
            await self._session.update(
                "projects", _PROJECT.row(project, "name", "archived_at_us"), "id = ?", project.id
            )
        except IntegrityError:
            raise _taken(project) from None


_BY_NAME = "name = ? COLLATE NOCASE AND archived_at_us IS NULL"


def _taken(project: Project) -> ConflictError:
    return ConflictError(f"there is a project {project.name!r} already", "choose another name, or archive that one")

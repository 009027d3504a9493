"""The operations on projects, and on the owners of keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from softix_proxy.domain.access.identity import checked_display_name
from softix_proxy.domain.access.keys import Key, KeyStatus
from softix_proxy.domain.access.permissions import Permission
from softix_proxy.domain.access.users import User
from softix_proxy.domain.core.clock import format_instant
from softix_proxy.domain.core.errors import BadInputError, ConflictError, NotFoundError
from softix_proxy.domain.core.ids import new_public_id
from softix_proxy.domain.organisations.key_owners import NOBODY
from softix_proxy.domain.organisations.organisations import Actor
from softix_proxy.domain.organisations.projects import PROJECT_PREFIX, Project
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.operations.organisations.organisations import authorized


@dataclass(frozen=True, slots=True)
class ProjectStanding:
    project: Project
    keys: tuple[Key, ...]
    """The keys of the project that can be used."""


async def create(storage: Storage, organisation: str, name: str, by: Actor) -> Project:
    """Raises NotFoundError, BadInputError, and ConflictError if the name is taken."""
    async with storage.writing() as unit:
        user, _ = await authorized(unit, organisation, by, Permission.PROJECTS_WRITE)
        now_us = unit.clock.now_us()
        return await unit.projects.add(Project(0, new_public_id("prj"), user.id, _checked_name(name), now_us))


async def list_all(storage: Storage, organisation: str, by: Actor) -> Sequence[ProjectStanding]:
    """Returns the projects, the oldest first, with their keys. Raises NotFoundError."""
    async with storage.snapshot() as unit:
        user, _ = await authorized(unit, organisation, by, Permission.PROJECTS_READ)
        active = await _active_keys(unit, user)
        return [ProjectStanding(project, active.get(project.id, ())) for project in await unit.projects.list(user.id)]


async def show(storage: Storage, organisation: str, project: str, by: Actor) -> ProjectStanding:
    """Raises NotFoundError."""
    async with storage.snapshot() as unit:
        user, _ = await authorized(unit, organisation, by, Permission.PROJECTS_READ)
        found = await find(unit, user, project)
        return ProjectStanding(found, (await _active_keys(unit, user)).get(found.id, ()))


async def rename(storage: Storage, organisation: str, project: str, name: str, by: Actor) -> Project:
    """Raises NotFoundError, BadInputError, and ConflictError if the name is taken."""
    async with storage.writing() as unit:
        user, _ = await authorized(unit, organisation, by, Permission.PROJECTS_WRITE)
        renamed = replace(await find(unit, user, project), name=_checked_name(name))
        await unit.projects.update(renamed)
        return renamed


async def archive(storage: Storage, organisation: str, project: str, by: Actor) -> Project:
    """Ends a project, and its budgets. Its usage stays. Raises ConflictError while it has keys that can be used."""
    async with storage.writing() as unit:
        user, _ = await authorized(unit, organisation, by, Permission.PROJECTS_WRITE)
        found = await find(unit, user, project)
        if found.id in await _active_keys(unit, user):
            raise ConflictError(
                f"the project {found.name!r} has keys that can be used", "revoke them, or give them to another project"
            )
        for budget in await unit.budgets.list(user.id):
            if budget.project_id == found.id:
                await unit.budgets.remove(budget.id)
        archived = replace(found, archived_at_us=found.archived_at_us or unit.clock.now_us())
        await unit.projects.update(archived)
        return archived


async def find(unit: Unit, user: User, reference: str) -> Project:
    """Returns the project of this organisation with this id or name. Raises NotFoundError."""
    found = await unit.projects.find(user.id, reference)
    if found is None:
        raise NotFoundError(f"no project {reference!r}", f"see: softix projects list {user.public_id}")
    return found


def as_fields(standing: ProjectStanding) -> dict[str, Any]:
    project = standing.project
    return {
        "id": project.public_id,
        "name": project.name,
        "keys": [key.public_id for key in standing.keys],
        "created_at": format_instant(project.created_at_us),
        "archived_at": format_instant(project.archived_at_us),
    }


async def _active_keys(unit: Unit, user: User) -> Mapping[int, tuple[Key, ...]]:
    """Returns the keys that can be used of each project that has any, by the project's number."""
    owners = await unit.key_owners.list(user.id)
    active: dict[int, tuple[Key, ...]] = {}
    for key in await unit.keys.list(user.id):
        project_id = owners.get(key.id, NOBODY).project_id
        if project_id is not None and key.status is KeyStatus.ACTIVE:
            active[project_id] = (*active.get(project_id, ()), key)
    return active


def require_open(project: Project) -> None:
    """Raises ConflictError if the project is archived."""
    if project.archived_at_us is not None:
        raise ConflictError(f"the project {project.name!r} is archived", "name another project")


def _checked_name(name: str) -> str:
    checked = checked_display_name(name.strip())
    if checked.startswith(PROJECT_PREFIX):
        raise BadInputError("a project's name does not look like an id", f"choose one without {PROJECT_PREFIX!r}")
    return checked

"""The operations on projects, and on the owners of keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from softix_proxy.domain.access.accounts import Account
from softix_proxy.domain.access.actors import Actor
from softix_proxy.domain.access.identity import checked_display_name
from softix_proxy.domain.access.key_owners import NOBODY, KeyOwner
from softix_proxy.domain.access.keys import Key, KeyStatus
from softix_proxy.domain.access.organisations import Right
from softix_proxy.domain.access.projects import PROJECT_PREFIX, Project
from softix_proxy.domain.access.users import User
from softix_proxy.domain.core.clock import format_instant
from softix_proxy.domain.core.errors import BadInputError, ConflictError, NotFoundError
from softix_proxy.domain.core.ids import new_public_id
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.operations.access import keys
from softix_proxy.operations.access.organisations import authorized, find_member


@dataclass(frozen=True, slots=True)
class ProjectStanding:
    project: Project
    keys: tuple[Key, ...]
    """The keys of the project that can be used."""


@dataclass(frozen=True, slots=True)
class OwnedKey:
    key: Key
    account: Account | None
    project: Project | None


async def create(storage: Storage, organisation: str, name: str, by: Actor) -> Project:
    """Raises NotFoundError, BadInputError, and ConflictError if the name is taken."""
    async with storage.writing() as unit:
        user, _ = await authorized(unit, organisation, by, Right.MANAGE_KEYS)
        now_us = unit.clock.now_us()
        return await unit.projects.add(Project(0, new_public_id("prj"), user.id, _checked_name(name), now_us))


async def list_all(storage: Storage, organisation: str, by: Actor) -> Sequence[ProjectStanding]:
    """Returns the projects, the oldest first, with their keys. Raises NotFoundError."""
    async with storage.snapshot() as unit:
        user, _ = await authorized(unit, organisation, by, Right.SEE)
        return [await _standing(unit, user, project) for project in await unit.projects.list(user.id)]


async def show(storage: Storage, organisation: str, project: str, by: Actor) -> ProjectStanding:
    """Raises NotFoundError."""
    async with storage.snapshot() as unit:
        user, _ = await authorized(unit, organisation, by, Right.SEE)
        return await _standing(unit, user, await find(unit, user, project))


async def rename(storage: Storage, organisation: str, project: str, name: str, by: Actor) -> Project:
    """Raises NotFoundError, BadInputError, and ConflictError if the name is taken."""
    async with storage.writing() as unit:
        user, _ = await authorized(unit, organisation, by, Right.MANAGE_KEYS)
        renamed = replace(await find(unit, user, project), name=_checked_name(name))
        await unit.projects.update(renamed)
        return renamed


async def archive(storage: Storage, organisation: str, project: str, by: Actor) -> Project:
    """Ends a project, and its budgets. Its usage stays. Raises ConflictError while it has keys that can be used."""
    async with storage.writing() as unit:
        user, _ = await authorized(unit, organisation, by, Right.MANAGE_KEYS)
        found = await find(unit, user, project)
        if (await _standing(unit, user, found)).keys:
            raise ConflictError(
                f"the project {found.name!r} has keys that can be used", "revoke them, or give them to another project"
            )
        for budget in await unit.budgets.list(user.id):
            if budget.project_id == found.id:
                await unit.budgets.remove(budget.id)
        archived = replace(found, archived_at_us=found.archived_at_us or unit.clock.now_us())
        await unit.projects.update(archived)
        return archived


async def assign(
    storage: Storage,
    organisation: str,
    key: str,
    by: Actor,
    *,
    project: str | None = None,
    member: str | None = None,
) -> OwnedKey:
    """Gives a key of the organisation to a project or to a member, or to both. An empty text takes it away from them.

    What it spent until now stays with those who owned it then. Raises NotFoundError, ConflictError.
    """
    async with storage.writing() as unit:
        user, _ = await authorized(unit, organisation, by, Right.MANAGE_KEYS)
        found = await keys.find(unit, key)
        if found.user_id != user.id:
            raise NotFoundError(f"no key {key!r}, or more than one", f"see: softix keys list --user {user.public_id}")
        owner = await unit.key_owners.get(found.id)
        if project is not None:
            owner = replace(owner, project_id=(await _open_project(unit, user, project)).id if project else None)
        if member is not None:
            owner = replace(owner, account_id=(await _key_holder(unit, user, member)).id if member else None)
        await unit.key_owners.set(found.id, owner)
        return await _owned(unit, user, found, owner)


async def keys_elsewhere(storage: Storage, organisation: str, project: str, by: Actor) -> Sequence[Key]:
    """Returns the organisation's keys that can be used and that are not the project's. Raises NotFoundError."""
    async with storage.snapshot() as unit:
        user, _ = await authorized(unit, organisation, by, Right.SEE)
        found, owners = await find(unit, user, project), await unit.key_owners.list(user.id)
        return [
            key
            for key in await unit.keys.list(user.id)
            if key.status is KeyStatus.ACTIVE and owners.get(key.id, NOBODY).project_id != found.id
        ]


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


def owned_fields(owned: OwnedKey) -> dict[str, Any]:
    return {
        "key": owned.key.public_id,
        "name": owned.key.label,
        "project": None if owned.project is None else owned.project.public_id,
        "member": None if owned.account is None else owned.account.public_id,
    }


async def _standing(unit: Unit, user: User, project: Project) -> ProjectStanding:
    owners = await unit.key_owners.list(user.id)
    mine = [await unit.keys.get(key_id) for key_id, owner in owners.items() if owner.project_id == project.id]
    return ProjectStanding(project, tuple(key for key in mine if key.status is KeyStatus.ACTIVE))


async def _open_project(unit: Unit, user: User, reference: str) -> Project:
    found = await find(unit, user, reference)
    if found.archived_at_us is not None:
        raise ConflictError(f"the project {found.name!r} is archived", "name another project")
    return found


async def _key_holder(unit: Unit, user: User, account: str) -> Account:
    person, membership = await find_member(unit, user, account)
    if not membership.may(Right.MAKE_OWN_KEYS):
        raise ConflictError("a member of this role has no keys", "change the role first, or name another member")
    return person


async def _owned(unit: Unit, user: User, key: Key, owner: KeyOwner) -> OwnedKey:
    account = None if owner.account_id is None else await unit.accounts.get(owner.account_id)
    found = [project for project in await unit.projects.list(user.id) if project.id == owner.project_id]
    return OwnedKey(key, account, found[0] if found else None)


def _checked_name(name: str) -> str:
    checked = checked_display_name(name.strip())
    if checked.startswith(PROJECT_PREFIX):
        raise BadInputError("a project's name does not look like an id", f"choose one without {PROJECT_PREFIX!r}")
    return checked

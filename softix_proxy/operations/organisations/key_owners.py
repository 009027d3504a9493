"""The operations on the owners of keys: the project and the member whose budgets count for a key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from softix_proxy.domain.access.keys import Key, KeyStatus
from softix_proxy.domain.access.permissions import Permission
from softix_proxy.domain.access.users import User, UserStatus
from softix_proxy.domain.accounts.accounts import Account
from softix_proxy.domain.core.errors import ConflictError, NotFoundError
from softix_proxy.domain.organisations.key_owners import NOBODY, KeyOwner
from softix_proxy.domain.organisations.organisations import Actor, Membership
from softix_proxy.domain.organisations.projects import Project
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.operations.access import keys
from softix_proxy.operations.accounts import account_view, accounts
from softix_proxy.operations.organisations import projects
from softix_proxy.operations.organisations.organisation_keys import KeyCondition, condition
from softix_proxy.operations.organisations.organisation_scope import OrganisationScope
from softix_proxy.operations.organisations.organisations import authorized, find_member


@dataclass(frozen=True, slots=True)
class LeftKey:
    """A key that works on without the person who could revoke it."""

    key: Key
    organisation: User


@dataclass(frozen=True, slots=True)
class OwnedKey:
    key: Key
    account: Account | None
    project: Project | None


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
        user, _ = await authorized(unit, organisation, by, Permission.KEYS_WRITE)
        found = await _key_of(unit, user, key)
        owner = await unit.key_owners.get(found.id)
        if project is not None:
            owner = replace(owner, project_id=(await _open_project(unit, user, project)).id if project else None)
        if member is not None:
            owner = replace(owner, account_id=(await _key_holder(unit, user, member)).id if member else None)
        await unit.key_owners.set(found.id, owner)
        return await _owned(unit, user, found, owner)


async def take_out(storage: Storage, organisation: str, key: str, by: Actor, *, project: str) -> OwnedKey:
    """Takes a key out of this project. Raises NotFoundError, also for a key that belongs to another project by now."""
    async with storage.writing() as unit:
        user, _ = await authorized(unit, organisation, by, Permission.KEYS_WRITE)
        found, left = await _key_of(unit, user, key), await projects.find(unit, user, project)
        owner = await unit.key_owners.get(found.id)
        if owner.project_id != left.id:
            raise NotFoundError(f"the key {key!r} is not in this project", "see: softix projects list")
        owner = replace(owner, project_id=None)
        await unit.key_owners.set(found.id, owner)
        return await _owned(unit, user, found, owner)


async def elsewhere(storage: Storage, organisation: str, project: str, by: Actor) -> Sequence[Key]:
    """Returns the organisation's keys that can be used and that are not the project's. Raises NotFoundError."""
    async with storage.snapshot() as unit:
        user, _ = await authorized(unit, organisation, by, Permission.KEYS_READ)
        found, owners = await projects.find(unit, user, project), await unit.key_owners.list(user.id)
        return [
            key
            for key in await unit.keys.list(user.id)
            if key.status is KeyStatus.ACTIVE and owners.get(key.id, NOBODY).project_id != found.id
        ]


async def left_by(storage: Storage, account: str) -> Sequence[LeftKey]:
    """Returns the keys that work on after the account is disabled: its own, and those that nobody else can revoke.

    An organisation's keys are revoked by its members who manage keys, and a member's key by this member too. If no such
    person is left who can sign in, only an operator can. Raises NotFoundError.
    """
    async with storage.snapshot() as unit:
        leaving = await accounts.find(unit, account)
        found = []
        for membership, user, _ in await account_view.joined_in(unit, leaving.id):
            if user.status is UserStatus.ACTIVE:
                found += [LeftKey(key, user) for key in await _left_in(storage, unit, user, membership)]
        return found


def left_fields(left: LeftKey) -> dict[str, Any]:
    key = left.key
    return {
        "id": key.public_id,
        "name": key.label,
        "organisation": left.organisation.public_id,
        "revoke": f"softix keys revoke {key.public_id} --yes",
    }


def as_fields(owned: OwnedKey) -> dict[str, Any]:
    return {
        "key": owned.key.public_id,
        "name": owned.key.label,
        "project": None if owned.project is None else owned.project.public_id,
        "member": None if owned.account is None else owned.account.public_id,
    }


async def _left_in(storage: Storage, unit: Unit, user: User, leaving: Membership) -> Sequence[Key]:
    owners, now_us = await unit.key_owners.list(user.id), unit.clock.now_us()
    could = OrganisationScope(storage, user, leaving)
    still_can = [
        OrganisationScope(storage, user, each)
        for each in await unit.memberships.of_organisation(user.id)
        if each.account_id != leaving.account_id and (await unit.accounts.get(each.account_id)).can_sign_in
    ]
    return [
        key
        for key in await unit.keys.list(user.id)
        if condition(key, now_us) is KeyCondition.ACTIVE
        and (
            owners.get(key.id, NOBODY).account_id == leaving.account_id
            or (could.may_change(key, owners) and not any(other.may_change(key, owners) for other in still_can))
        )
    ]


async def _key_of(unit: Unit, user: User, reference: str) -> Key:
    """Returns a key of the organisation. Raises NotFoundError."""
    found = await keys.find(unit, reference)
    if found.user_id != user.id:
        raise NotFoundError(f"no key {reference!r}, or more than one", f"see: softix keys list --user {user.public_id}")
    return found


async def _open_project(unit: Unit, user: User, reference: str) -> Project:
    found = await projects.find(unit, user, reference)
    projects.require_open(found)
    return found


async def _key_holder(unit: Unit, user: User, account: str) -> Account:
    person, membership = await find_member(unit, user, account)
    if not membership.may(Permission.KEYS_OWN):
        raise ConflictError("a member of this role has no keys", "change the role first, or name another member")
    return person


async def _owned(unit: Unit, user: User, key: Key, owner: KeyOwner) -> OwnedKey:
    account = None if owner.account_id is None else await unit.accounts.get(owner.account_id)
    found = [project for project in await unit.projects.list(user.id) if project.id == owner.project_id]
    return OwnedKey(key, account, found[0] if found else None)

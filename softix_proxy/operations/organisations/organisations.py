"""The operations on organisations and their members.

An organisation is a user: it owns the wallet and the keys. What a member may do is decided here, under the write lock,
by the membership as it is then. To those who may not do something, it does not exist.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from softix_proxy.domain.access.keys import KeyStatus
from softix_proxy.domain.access.permissions import Permission
from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.access.users import User
from softix_proxy.domain.accounts.accounts import Account
from softix_proxy.domain.core.clock import format_instant
from softix_proxy.domain.core.errors import ConflictError, NotFoundError
from softix_proxy.domain.organisations.key_owners import KeyOwner
from softix_proxy.domain.organisations.organisations import (
    OPERATOR,
    Actor,
    Membership,
    leaves_no_owner,
    may,
    may_grant,
    raises_itself,
)
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.operations.access import keys, users
from softix_proxy.operations.accounts import security_events


@dataclass(frozen=True, slots=True)
class MemberStanding:
    account: Account
    membership: Membership
    active_keys: int
    """The number of the keys that belong to the member and can be used."""


@dataclass(frozen=True, slots=True)
class OrganisationStanding:
    organisation: User
    members: int
    owners: int


@dataclass(frozen=True, slots=True)
class RemovedMember:
    account: Account
    revoked_keys: int
    handed_over_keys: int


async def list_all(storage: Storage) -> Sequence[OrganisationStanding]:
    """Returns all organisations with the numbers of their members."""
    async with storage.snapshot() as unit:
        return [await _standing(unit, user) for user in await unit.users.list()]


async def show(storage: Storage, organisation: str) -> OrganisationStanding:
    """Raises NotFoundError."""
    async with storage.snapshot() as unit:
        return await _standing(unit, await users.find(unit, organisation))


async def members(storage: Storage, organisation: str, by: Actor) -> Sequence[MemberStanding]:
    """Returns the members, the oldest first. Raises NotFoundError."""
    async with storage.snapshot() as unit:
        user, _ = await authorized(unit, organisation, by, Permission.ORGANISATIONS_READ)
        active = await _active_keys(unit, user)
        return [
            MemberStanding(await unit.accounts.get(member.account_id), member, active[member.account_id])
            for member in await unit.memberships.of_organisation(user.id)
        ]


async def set_role(
    storage: Storage, organisation: str, account: str, role: OrganisationRole, by: Actor
) -> MemberStanding:
    """Changes a member's role. Raises NotFoundError, and ConflictError if a rule forbids it."""
    async with storage.writing() as unit:
        user, actor = await authorized(unit, organisation, by, Permission.ORGANISATIONS_WRITE)
        person, membership = await find_member(unit, user, account)
        if raises_itself(actor, person.id, role):
            raise ConflictError("nobody raises the own role", "ask an owner of the organisation")
        if not may_grant(actor, role) or not may_grant(actor, membership.role):
            raise ConflictError("only an owner makes or changes an owner", "ask an owner of the organisation")
        await _keep_an_owner(unit, user, actor, membership, role)
        await unit.memberships.set_role(person.id, user.id, role)
        await security_events.record(unit, "role_changed", person.id, subject=user.public_id)
        active = await _active_keys(unit, user)
        return MemberStanding(person, replace(membership, role=role), active[person.id])


async def remove(
    storage: Storage, organisation: str, account: str, by: Actor, *, hand_keys_to: str | None = None
) -> RemovedMember:
    """Removes a member. The member's keys are revoked at once, or belong to another member from now on.

    Raises NotFoundError, and ConflictError if a rule forbids it.
    """
    async with storage.writing() as unit:
        user, actor = await authorized(unit, organisation, by, Permission.ORGANISATIONS_WRITE)
        person, membership = await find_member(unit, user, account)
        if not may_grant(actor, membership.role):
            raise ConflictError("only an owner removes an owner", "ask an owner of the organisation")
        heir = None if hand_keys_to is None else await _heir(unit, user, person, hand_keys_to)
        return await _remove(unit, user, actor, membership, person, heir)


async def leave(storage: Storage, organisation: str, by: Membership) -> RemovedMember:
    """Ends the own membership. The member's own keys are revoked.

    Raises NotFoundError, and ConflictError for the last owner.
    """
    async with storage.writing() as unit:
        user, actor = await authorized(unit, organisation, by, Permission.ORGANISATIONS_READ)
        person, membership = await find_member(unit, user, (await unit.accounts.get(by.account_id)).public_id)
        return await _remove(unit, user, actor, membership, person, None)


async def authorized(unit: Unit, organisation: str, by: Actor, permission: Permission) -> tuple[User, Actor]:
    """Returns the organisation, and the actor with the role that it has now.

    Raises NotFoundError if there is no such organisation, or the actor is no member of it or lacks the right.
    """
    user = await users.find(unit, organisation)
    if by == OPERATOR:
        return user, by
    current = await unit.memberships.find(by.account_id, user.id)
    if current is None or by.user_id != user.id or not may(current, permission):
        raise NotFoundError("there is no such organisation, or you may not do this there")
    return user, current


async def find_member(unit: Unit, user: User, account: str) -> tuple[Account, Membership]:
    """Finds a member by the id or e-mail of the account. Raises NotFoundError."""
    person = await unit.accounts.find(account)
    membership = None if person is None else await unit.memberships.find(person.id, user.id)
    if person is None or membership is None:
        raise NotFoundError(f"{user.name} has no such member", f"see: softix organisations members {user.public_id}")
    return person, membership


def as_fields(standing: OrganisationStanding) -> dict[str, Any]:
    user = standing.organisation
    return {
        "id": user.public_id,
        "name": user.name,
        "status": user.status.value,
        "members": standing.members,
        "owners": standing.owners,
        "created_at": format_instant(user.created_at_us),
    }


def member_fields(member: MemberStanding) -> dict[str, Any]:
    return {
        "id": member.account.public_id,
        "email": member.account.email,
        "display_name": member.account.display_name,
        "role": member.membership.role.value,
        "active_keys": member.active_keys,
        "since": format_instant(member.membership.created_at_us),
    }


async def _standing(unit: Unit, user: User) -> OrganisationStanding:
    found = await unit.memberships.of_organisation(user.id)
    owners = sum(member.role is OrganisationRole.OWNER for member in found)
    return OrganisationStanding(user, len(found), owners)


async def _active_keys(unit: Unit, user: User) -> Counter[int | None]:
    """Returns how many of the organisation's keys can be used, by the member that they belong to."""
    owners = await unit.key_owners.list(user.id)
    active = [key.id for key in await unit.keys.list(user.id) if key.status is KeyStatus.ACTIVE]
    return Counter(owners[key_id].account_id for key_id in active if key_id in owners)


async def _keep_an_owner(
    unit: Unit, user: User, by: Actor, membership: Membership, role: OrganisationRole | None
) -> None:
    """Raises ConflictError if no owner would be left.

    To members an owner who cannot sign in is none: nobody of the organisation could make another. An operator can.
    """
    members = await unit.memberships.of_organisation(user.id)
    if by != OPERATOR:
        members = [member for member in members if (await unit.accounts.get(member.account_id)).can_sign_in]
    if leaves_no_owner(members, membership.account_id, role):
        raise ConflictError("an organisation keeps at least one owner", "make another member an owner first")


async def _heir(unit: Unit, user: User, leaving: Account, account: str) -> Account:
    person, membership = await find_member(unit, user, account)
    if person.id == leaving.id or not membership.may(Permission.KEYS_OWN):
        raise ConflictError("the keys go to another member who may have keys", "name such a member, or revoke them")
    return person


async def _remove(
    unit: Unit, user: User, by: Actor, membership: Membership, person: Account, heir: Account | None
) -> RemovedMember:
    await _keep_an_owner(unit, user, by, membership, None)
    await unit.memberships.remove(person.id, user.id)  # first, so that messages about the keys go to those who stay
    revoked = handed_over = 0
    for key_id, owner in (await unit.key_owners.list(user.id)).items():
        if owner.account_id != person.id:
            continue
        key = await unit.keys.get(key_id)
        if heir is not None:
            await unit.key_owners.set(key_id, KeyOwner(heir.id, owner.project_id))
            handed_over += key.status is KeyStatus.ACTIVE
        elif key.status is KeyStatus.ACTIVE:
            await keys.revoke_in(unit, key)
            revoked += 1
    for budget in await unit.budgets.list(user.id):
        if budget.account_id == person.id:
            await unit.budgets.remove(budget.id)
    await security_events.record(unit, "member_removed", person.id, subject=user.public_id)
    return RemovedMember(person, revoked, handed_over)

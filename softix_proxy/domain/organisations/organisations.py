"""The organisations: each owns one wallet, and people are members of it.

The row of `users` is the organisation. A user of earlier versions is an organisation of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from softix_proxy.domain.access.permissions import Permission
from softix_proxy.domain.access.roles import ORGANISATION_ROLES, OrganisationRole


@dataclass(frozen=True, slots=True)
class Membership:
    account_id: int
    user_id: int
    """The number of the organisation, which is that of its wallet."""
    role: OrganisationRole
    created_at_us: int

    def may(self, permission: Permission) -> bool:
        return permission in ORGANISATION_ROLES[self.role]


OPERATOR: Final = "operator"
Actor = Membership | Literal["operator"]
"""A member of the organisation, or the operator at the command line, who may do everything that keeps it in order.

It is always given, so that nobody becomes an operator because an argument was forgotten.
"""


def may(actor: Actor, permission: Permission) -> bool:
    return actor == OPERATOR or actor.may(permission)


def may_grant(actor: Actor, role: OrganisationRole) -> bool:
    """Returns whether the actor may give this role to another person, or take it away: nobody grants more than they
    have.
    """
    return actor == OPERATOR or ORGANISATION_ROLES[role] <= ORGANISATION_ROLES[actor.role]


def raises_itself(actor: Actor, account_id: int, role: OrganisationRole) -> bool:
    """Returns whether the actor would get rights from its own hand."""
    return (
        actor != OPERATOR
        and actor.account_id == account_id
        and not ORGANISATION_ROLES[role] <= ORGANISATION_ROLES[actor.role]
    )


def leaves_no_owner(members: Iterable[Membership], account_id: int, role: OrganisationRole | None) -> bool:
    """Returns whether the organisation would lose its last owner, if this member got the role, or left."""
    owners = {member.account_id for member in members if member.role is OrganisationRole.OWNER}
    return owners == {account_id} and role is not OrganisationRole.OWNER


class MembershipStore(Protocol):
    """Stores who belongs to which organisation. It writes no row of users, so no daemon reloads."""

    async def add(self, membership: Membership) -> None:
        """Raises ConflictError if the account is a member already."""
        ...

    async def find(self, account_id: int, user_id: int) -> Membership | None: ...

    async def of_account(self, account_id: int) -> Sequence[Membership]:
        """Returns the account's memberships, the oldest first."""
        ...

    async def of_organisation(self, user_id: int) -> Sequence[Membership]: ...

    async def set_role(self, account_id: int, user_id: int, role: OrganisationRole) -> None: ...

    async def remove(self, account_id: int, user_id: int) -> None:
        """Ends a membership, and notes that there was one."""
        ...

    async def has_ended(self, account_id: int, user_id: int) -> bool:
        """Returns whether the account was once a member and was removed, or left."""
        ...

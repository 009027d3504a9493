"""The organisations: each owns one wallet, and people are members of it.

The row of `users` is the organisation. A user of earlier versions is an organisation of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal, Protocol


class OrganisationRole(StrEnum):
    OWNER = "owner"
    ADMIN = "admin"
    BILLING = "billing"
    MEMBER = "member"
    VIEWER = "viewer"


class Right(StrEnum):
    """What a member may do in the organisation."""

    SEE = "see"
    """See balance, usage and limits of the organisation."""
    MAKE_OWN_KEYS = "make_own_keys"
    MANAGE_KEYS = "manage_keys"
    """Create, change and revoke keys of other members and of projects."""
    SEE_BILLING = "see_billing"
    PAY = "pay"
    MANAGE_MEMBERS = "manage_members"
    MANAGE_OWNERS = "manage_owners"


RIGHTS: Mapping[OrganisationRole, frozenset[Right]] = {
    OrganisationRole.OWNER: frozenset(Right),
    OrganisationRole.ADMIN: frozenset(Right) - {Right.MANAGE_OWNERS},
    OrganisationRole.BILLING: frozenset((Right.SEE, Right.SEE_BILLING, Right.PAY)),
    OrganisationRole.MEMBER: frozenset((Right.SEE, Right.MAKE_OWN_KEYS)),
    OrganisationRole.VIEWER: frozenset((Right.SEE,)),
}


@dataclass(frozen=True, slots=True)
class Membership:
    account_id: int
    user_id: int
    """The number of the organisation, which is that of its wallet."""
    role: OrganisationRole
    created_at_us: int

    def may(self, right: Right) -> bool:
        return right in RIGHTS[self.role]


OPERATOR: Final = "operator"
Actor = Membership | Literal["operator"]
"""A member of the organisation, or the operator at the command line, who may do everything that keeps it in order.

It is always given, so that nobody becomes an operator because an argument was forgotten.
"""


def may(actor: Actor, right: Right) -> bool:
    return actor == OPERATOR or actor.may(right)


def may_grant(actor: Actor, role: OrganisationRole) -> bool:
    """Returns whether the actor may give this role to another person, or take it away: nobody grants more than they
    have.
    """
    return actor == OPERATOR or RIGHTS[role] <= RIGHTS[actor.role]


def raises_itself(actor: Actor, account_id: int, role: OrganisationRole) -> bool:
    """Returns whether the actor would get rights from its own hand."""
    return actor != OPERATOR and actor.account_id == account_id and not RIGHTS[role] <= RIGHTS[actor.role]


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

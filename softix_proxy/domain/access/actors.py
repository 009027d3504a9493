"""Who asks for a change in an organisation, and the rules that no role sets aside."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

from softix_proxy.domain.access.organisations import RIGHTS, Membership, OrganisationRole, Right

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

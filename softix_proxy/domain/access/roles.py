"""The roles, as named sets of permissions. These tables are the only place that says who may do what.

The roles of operators hold for the whole instance. The roles of members hold inside one organisation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from softix_proxy.domain.access.permissions import READS, Permission
from softix_proxy.domain.core.errors import BadInputError, NotPermittedError

NO_ROLE: Final = "user"
"""The role of an account without any permission of an operator."""
OWNER_OPERATOR: Final = "owner-operator"
ADMIN: Final = "admin"
BILLING: Final = "billing"

_SUPPORT = frozenset(
    (
        Permission.USERS_READ,
        Permission.ORGANISATIONS_READ,
        Permission.PROJECTS_READ,
        Permission.BUDGETS_READ,
        Permission.KEYS_READ,
        Permission.KEYS_REVOKE,
        Permission.USAGE_READ,
        Permission.BATCHES_READ,
        Permission.MAIL_READ,
        Permission.MAIL_RETRY,
        Permission.ABUSE_READ,
        Permission.ABUSE_ACK,
    )
)
_BILLING = frozenset(
    (
        Permission.USERS_READ,
        Permission.ORGANISATIONS_READ,
        Permission.PROJECTS_READ,
        Permission.BUDGETS_READ,
        Permission.KEYS_READ,
        Permission.USAGE_READ,
        Permission.USAGE_WRITE,
        Permission.BATCHES_READ,
        Permission.BALANCE_READ,
        Permission.BALANCE_WRITE,
        Permission.PAYMENTS_READ,
        Permission.PAYMENTS_WRITE,
        Permission.PERIODS_READ,
        Permission.PERIODS_WRITE,
        Permission.EXPORTS_READ,
        Permission.EXPORTS_WRITE,
        Permission.BILLS_READ,
        Permission.BILLS_WRITE,
        Permission.LEDGER_READ,
        Permission.PROVIDERS_READ,
        Permission.MODELS_READ,
        Permission.ROUTES_READ,
        Permission.PRICES_READ,
        Permission.PRICES_WRITE,
    )
)
OPERATOR_ROLES: Final[Mapping[str, frozenset[Permission]]] = MappingProxyType(
    {
        NO_ROLE: frozenset(),
        "support": _SUPPORT,
        BILLING: _BILLING,
        "auditor": READS,
        ADMIN: frozenset(Permission) - {Permission.INSTANCE_WRITE},
        OWNER_OPERATOR: frozenset(Permission),
    }
)
"""The role of an operator → what it may do in the whole instance."""


class OrganisationRole(StrEnum):
    OWNER = "owner"
    ADMIN = "admin"
    BILLING = "billing"
    MEMBER = "member"
    VIEWER = "viewer"


_VIEWER = frozenset(
    (
        Permission.ORGANISATIONS_READ,
        Permission.PROJECTS_READ,
        Permission.BUDGETS_READ,
        Permission.KEYS_READ,
        Permission.USAGE_READ,
        Permission.BALANCE_READ,
        Permission.MODELS_READ,
    )
)
_MEMBER = _VIEWER | {Permission.KEYS_OWN}
_PAYER = frozenset((Permission.PAYMENTS_READ, Permission.PAYMENTS_WRITE, Permission.BILLS_READ, Permission.BILLS_WRITE))
_MANAGER = frozenset(
    (
        Permission.ORGANISATIONS_WRITE,
        Permission.PROJECTS_WRITE,
        Permission.BUDGETS_WRITE,
        Permission.KEYS_WRITE,
        Permission.KEYS_REVOKE,
    )
)
ORGANISATION_ROLES: Final[Mapping[OrganisationRole, frozenset[Permission]]] = MappingProxyType(
    {
        OrganisationRole.OWNER: _MEMBER | _PAYER | _MANAGER | {Permission.ORGANISATIONS_OWN},
        OrganisationRole.ADMIN: _MEMBER | _PAYER | _MANAGER,
        OrganisationRole.BILLING: _VIEWER | _PAYER,
        OrganisationRole.MEMBER: _MEMBER,
        OrganisationRole.VIEWER: _VIEWER,
    }
)
"""The role of a member → what it may do inside the organisation."""


@dataclass(frozen=True, slots=True)
class OperatorRoles:
    """The operators' roles of one instance: those of softix, and those that its configuration adds."""

    own: Mapping[str, frozenset[Permission]] = field(default_factory=dict)

    @property
    def table(self) -> Mapping[str, frozenset[Permission]]:
        return {**OPERATOR_ROLES, **self.own}

    def permissions(self, role: str) -> frozenset[Permission]:
        """Returns what the role may do. A role that is not in the table any more may do nothing."""
        return self.table.get(role, frozenset())

    def require(self, role: str) -> str:
        """Returns the name of a role. Raises BadInputError for one that is not in the table."""
        if role not in self.table:
            raise BadInputError(f"there is no role {role!r}", "see: softix roles list")
        return role


@dataclass(frozen=True, slots=True)
class Granter:
    """Somebody who gives and takes roles. Nobody gives more than they have, and nobody acts on one who has more."""

    roles: OperatorRoles = field(default_factory=OperatorRoles)
    permissions: frozenset[Permission] = frozenset()

    def require(self, *roles: str) -> None:
        """Raises NotPermittedError unless the granter has every permission of these roles."""
        for role in roles:
            missing = self.roles.permissions(role) - self.permissions
            if missing:
                raise NotPermittedError(
                    f"the role {role!r} has permissions that you have not: {', '.join(sorted(missing)[:3])}",
                    f"ask somebody with the role {OWNER_OPERATOR}",
                )


NO_GRANTER: Final = Granter()
"""Somebody who gives no role that has a permission."""


_ROLE_WORD = re.compile(r"[a-z][a-z0-9-]{0,39}", re.ASCII)


def checked_role_word(text: str) -> str:
    """Returns a word that can be the name of a role. Raises ValueError."""
    if _ROLE_WORD.fullmatch(text) is None:
        raise ValueError("not the name of a role")
    return text


def parse_permissions(role: str, names: Iterable[str]) -> frozenset[Permission]:
    """Returns the permissions of a role of the configuration. `*.read` stands for all that see and change nothing.

    Raises BadInputError for the name of a role of softix, and for an unknown permission.
    """
    if role in OPERATOR_ROLES:
        raise BadInputError(f"the role {role!r} is one of softix's own", "give the role another name")
    found: set[Permission] = set()
    for name in names:
        if name == "*.read":
            found |= READS
        elif name in {each.value for each in Permission}:
            found.add(Permission(name))
        else:
            raise BadInputError(f"there is no permission {name!r}", "see: softix roles permissions")
    return frozenset(found)

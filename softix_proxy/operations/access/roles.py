"""Tells which roles there are, and what each of them may do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from softix_proxy.domain.access.operations import OPERATIONS
from softix_proxy.domain.access.permissions import Permission
from softix_proxy.domain.access.roles import OPERATOR_ROLES, ORGANISATION_ROLES, OperatorRoles
from softix_proxy.domain.core.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class ListedRole:
    name: str
    scope: Literal["instance", "organisation"]
    """Whether it holds for the whole instance, or inside one organisation."""
    defined_by: Literal["softix", "configuration"]
    permissions: frozenset[Permission]


def list_all(roles: OperatorRoles) -> Sequence[ListedRole]:
    """Returns the roles of operators, and then those of members, from the weakest to the strongest of each table."""
    own = [
        ListedRole(name, "instance", "softix" if name in OPERATOR_ROLES else "configuration", permissions)
        for name, permissions in roles.table.items()
    ]
    members = [
        ListedRole(role.value, "organisation", "softix", permissions)
        for role, permissions in reversed(list(ORGANISATION_ROLES.items()))
    ]
    return [*own, *members]


def find(roles: OperatorRoles, name: str, *, in_organisation: bool) -> ListedRole:
    """Returns the role of this name. Raises NotFoundError."""
    scope = "organisation" if in_organisation else "instance"
    found = next((role for role in list_all(roles) if role.name == name and role.scope == scope), None)
    if found is None:
        raise NotFoundError(f"there is no role {name!r}", "see: softix roles list")
    return found


def opened_by(permissions: frozenset[Permission]) -> Sequence[str]:
    """Returns the names of the operations that the permissions open, in the order of the alphabet."""
    return sorted(name for name, operation in OPERATIONS.items() if operation.permission in permissions)


def permissions() -> Mapping[str, Sequence[str]]:
    """Returns each permission with the operations that it opens."""
    return {permission.value: opened_by(frozenset((permission,))) for permission in Permission}

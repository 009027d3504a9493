"""The settings of roles that an operator adds to those of softix."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from softix_proxy.domain.access.roles import ORGANISATION_ROLES, OperatorRoles, checked_role_word, parse_permissions
from softix_proxy.domain.core.config import setting
from softix_proxy.domain.core.errors import BadInputError


def checked_own_role(text: str) -> tuple[str, Sequence[str]]:
    """Returns the name of a role and the names of its permissions. Raises ValueError."""
    name, separator, permissions = text.partition("=")
    if not separator or not permissions.split():
        raise ValueError("not a role with permissions")
    try:
        parse_permissions(checked_role_word(name.strip()), permissions.split())
    except BadInputError as error:
        raise ValueError(error.message) from None
    return name.strip(), permissions.split()


@lru_cache(maxsize=4)
def _table(own: tuple[str, ...]) -> OperatorRoles:
    named = [checked_own_role(text) for text in own]
    return OperatorRoles({name: parse_permissions(name, permissions) for name, permissions in named})


@dataclass(frozen=True, slots=True)
class RolesSection:
    """Adds roles of operators to those of softix."""

    own: tuple[str, ...] = setting(
        (),
        "Roles of your own, each as a name, `=`, and permissions: for example "
        "`helpdesk=users.read keys.read keys.revoke`. `*.read` stands for all that change nothing. "
        "`softix roles permissions` lists them.",
        item=checked_own_role,
        words="a role with its permissions, as in `helpdesk=users.read keys.revoke`",
    )

    @property
    def table(self) -> OperatorRoles:
        """All roles of the instance."""
        return _table(self.own)


def require_roles(names: Iterable[str], roles: RolesSection) -> None:
    """Raises BadInputError unless each name is a role of operators or of members."""
    unknown = [name for name in names if name not in {*roles.table.table, *ORGANISATION_ROLES}]
    if unknown:
        raise BadInputError(
            f"portal.second_factor_roles names a role that does not exist: {unknown[0]}", "see: softix roles list"
        )

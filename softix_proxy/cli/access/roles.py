"""The commands of `softix roles`, which print the one table of who may do what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from softix_proxy.cli.console.console import Group, instance, show, show_all
from softix_proxy.cli.console.tables import TableLayout
from softix_proxy.domain.access.roles import OPERATOR_ROLES
from softix_proxy.operations.access import roles as operations

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance
    from softix_proxy.operations.access.roles import ListedRole

_LIST = TableLayout(("scope", "role", "permissions", "defined_by"), leave=("defined_by",), prose=("permissions",))
_PERMISSIONS = TableLayout(("permission", "operations"), prose=("operations",))


def as_fields(role: ListedRole) -> dict[str, Any]:
    return {
        "role": role.name,
        "scope": role.scope,
        "defined_by": role.defined_by,
        "permissions": sorted(role.permissions),
    }


def complete_role(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    """Completes the name of a role of softix. Those of the configuration are not read for it."""
    return [name for name in OPERATOR_ROLES if name.startswith(begun)]


@click.group(cls=Group)
def roles() -> None:
    """Show the roles, and what each of them may do. Example: softix roles list"""


@roles.command("list")
@instance
async def list_(instance: Instance) -> None:
    """List the roles: those of operators, and those inside an organisation. Example: softix roles list"""
    show_all([as_fields(role) for role in operations.list_all(instance.settings.roles.table)], _LIST)


@roles.command("show")
@click.argument("role", shell_complete=complete_role)
@click.option("--in-organisation", is_flag=True, help="The role of a member instead of that of an operator.")
@instance
async def show_(instance: Instance, role: str, in_organisation: bool) -> None:
    """Show one role with its permissions and the operations that they open. Example: softix roles show billing"""
    found = operations.find(instance.settings.roles.table, role, in_organisation=in_organisation)
    show({**as_fields(found), "operations": operations.opened_by(found.permissions)})


@roles.command()
@instance
async def permissions(instance: Instance) -> None:
    """List the permissions with the operations that each opens. Example: softix roles permissions --json"""
    rows = [{"permission": name, "operations": opened} for name, opened in operations.permissions().items()]
    show_all(rows, _PERMISSIONS)

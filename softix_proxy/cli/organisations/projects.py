"""The commands of `softix projects`, to which an organisation's keys can belong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from softix_proxy.cli.console.console import Group, confirm, instance, show, show_all
from softix_proxy.cli.console.tables import TableLayout
from softix_proxy.domain.organisations.organisations import OPERATOR
from softix_proxy.operations.organisations import key_owners
from softix_proxy.operations.organisations import projects as operations

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance

_LIST = TableLayout(("id", "name", "keys", "created_at", "archived_at"), leave=("created_at", "archived_at", "keys"))
_NONE = "none"


@click.group(cls=Group)
def projects() -> None:
    """Create and change an organisation's projects. Example: softix projects create acme 'Support bot'"""


@projects.command()
@click.argument("organisation")
@click.argument("name")
@instance
async def create(instance: Instance, organisation: str, name: str) -> None:
    """Create a project. ORGANISATION is a user: an id, a name or an e-mail.

    Example: softix projects create acme 'Support bot'
    """
    made = await operations.create(instance.storage, organisation, name, OPERATOR)
    show(operations.as_fields(operations.ProjectStanding(made, ())))


@projects.command("list")
@click.argument("organisation")
@instance
async def list_(instance: Instance, organisation: str) -> None:
    """List an organisation's projects with their keys. Example: softix projects list acme"""
    found = await operations.list_all(instance.storage, organisation, OPERATOR)
    show_all([operations.as_fields(each) for each in found], _LIST)


@projects.command("show")
@click.argument("organisation")
@click.argument("project")
@instance
async def show_(instance: Instance, organisation: str, project: str) -> None:
    """Show one project. PROJECT is its id or its name. Example: softix projects show acme 'Support bot'"""
    show(operations.as_fields(await operations.show(instance.storage, organisation, project, OPERATOR)))


@projects.command()
@click.argument("organisation")
@click.argument("project")
@click.argument("name")
@instance
async def rename(instance: Instance, organisation: str, project: str, name: str) -> None:
    """Change a project's name. Example: softix projects rename acme 'Support bot' 'Help desk'"""
    renamed = await operations.rename(instance.storage, organisation, project, name, OPERATOR)
    show(operations.as_fields(await operations.show(instance.storage, organisation, renamed.public_id, OPERATOR)))


@projects.command()
@click.argument("organisation")
@click.argument("key")
@click.option("--project", help="The project: an id or a name. The word `none` takes the key out of its project.")
@click.option("--member", help="The member: an id or e-mail of the account. The word `none` takes it from its member.")
@instance
async def assign(instance: Instance, organisation: str, key: str, project: str | None, member: str | None) -> None:
    """Move a key to a project or a member, whose budgets count for it from then on.

    Example: softix projects assign acme ci-key --project 'Support bot'
    """
    owned = await key_owners.assign(
        instance.storage,
        organisation,
        key,
        OPERATOR,
        project="" if project == _NONE else project,
        member="" if member == _NONE else member,
    )
    show(key_owners.as_fields(owned))


@projects.command()
@click.argument("organisation")
@click.argument("project")
@click.option("--yes", is_flag=True, help="Do not ask.")
@instance
async def archive(instance: Instance, organisation: str, project: str, yes: bool) -> None:
    """Close a project, and remove its budgets. Its usage stays.

    Example: softix projects archive acme 'Support bot' --yes
    """
    confirm(f"Archive the project {project} of {organisation}, and remove its budgets?", yes)
    archived = await operations.archive(instance.storage, organisation, project, OPERATOR)
    show(operations.as_fields(operations.ProjectStanding(archived, ())), "Archived.")

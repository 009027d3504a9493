"""The commands of `softix templates`, which set the limits that new keys and users get."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from softix_proxy.cli.access.limit_commands import asked_limits, spend_options
from softix_proxy.cli.console.console import Group, confirm, instance, show, show_all
from softix_proxy.cli.console.tables import TableLayout
from softix_proxy.domain.access.templates import TEMPLATE_KINDS, TemplateKind
from softix_proxy.operations.access import templates as operations
from softix_proxy.operations.access import users

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance

_LIST = TableLayout(("name", "for", "default", "default_of", "limits"), leave=("default_of",), prose=("limits",))


@click.group(cls=Group)
def templates() -> None:
    """Set the limits that new keys and users get. Example: softix templates set trial --spend-month 5.00 --default"""


@templates.command("set")
@click.argument("name")
@click.option("--for", "kind", type=click.Choice(TEMPLATE_KINDS), help="What gets its limits.  [default: key]")
@click.option("--default/--no-default", "is_default", default=None, help="Give it to what names no template.")
@click.option("--organisation", metavar="ORG", help="Make it the default of this organisation only.")
@click.option("--rpm", metavar="N", help="The limit of requests per minute.")
@click.option("--tpm", metavar="N", help="The limit of tokens per minute.")
@click.option("--concurrency", metavar="N", help="The limit of concurrent requests.")
@spend_options
@instance
async def set_(
    instance: Instance,
    name: str,
    kind: TemplateKind | None,
    is_default: bool | None,
    organisation: str | None,
    **given: Any,
) -> None:
    """Make or change a template. The word `none` removes a limit. Keys and users that there are stay as they are.

    Example: softix templates set trial --rpm 60 --spend-month 5.00 --alert 80,100 --default
    """
    of = None if organisation is None else await users.show(instance.storage, organisation)
    listed = await operations.set_to(
        instance.storage, name, asked_limits(given), kind=kind, is_default=is_default, organisation=of
    )
    show(operations.as_fields(listed))


@templates.command("list")
@instance
async def list_(instance: Instance) -> None:
    """List templates, and where each is the default. Example: softix templates list --json"""
    show_all([operations.as_fields(each) for each in await operations.list_all(instance.storage)], _LIST)


@templates.command("show")
@click.argument("name")
@instance
async def show_(instance: Instance, name: str) -> None:
    """Show one template. Example: softix templates show trial"""
    show(operations.as_fields(await operations.show(instance.storage, name)))


@templates.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@instance
async def delete(instance: Instance, name: str, yes: bool) -> None:
    """Delete a template. What was made with it keeps its limits. Example: softix templates delete trial --yes"""
    confirm(f"Delete the template {name}?", yes)
    show(operations.as_fields(await operations.delete(instance.storage, name)), "Deleted.")

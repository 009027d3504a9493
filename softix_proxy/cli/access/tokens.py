"""The commands of `softix tokens`, which issue and revoke admin tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from softix_proxy.cli.access.roles import complete_role
from softix_proxy.cli.console.console import Group, confirm, instance, say, show, show_all
from softix_proxy.cli.console.tables import TableLayout
from softix_proxy.domain.core.clock import parse_duration_us
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.operations.access import tokens as operations

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance

_LIST = TableLayout(
    ("id", "prefix", "name", "role", "status", "expires_at", "last_used_on"), leave=("last_used_on", "prefix", "name")
)


@click.group(cls=Group)
def tokens() -> None:
    """Issue and revoke admin tokens. Example: softix tokens create --role auditor --expires 30d"""


@tokens.command()
@click.option("--role", required=True, shell_complete=complete_role, help="What it may do: see softix roles list.")
@click.option("--name", default="", help="What the token is for.")
@click.option("--expires", metavar="DURATION", help="The time until the token expires, for example 30d.")
@instance
async def create(instance: Instance, role: str, name: str, expires: str | None) -> None:
    """Issue an admin token. It is shown only once.

    Commands act by it if it is in the environment variable SOFTIX_TOKEN. It is not valid for inference.

    Example: softix tokens create --role auditor --expires 30d
    """
    expires_in_us = None if expires is None else parse_duration_us(expires)
    if expires_in_us == 0:
        raise BadInputError("a token that has expired already is of no use", "write for example --expires 30d")
    made = await operations.create(
        instance.storage, await instance.vault(), role, instance.granter, label=name, expires_in_us=expires_in_us
    )
    if expires_in_us is None:
        say("The token never expires. Give it --expires, or revoke it when it is not needed any more.")
    fields = operations.as_fields(made.token, instance.clock.now_us())
    show({**fields, "token": made.text}, "Keep the token now: it is not shown again.")


@tokens.command("list")
@instance
async def list_(instance: Instance) -> None:
    """List all admin tokens. Example: softix tokens list --json"""
    now_us = instance.clock.now_us()
    show_all([operations.as_fields(token, now_us) for token in await operations.list_all(instance.storage)], _LIST)


@tokens.command("show")
@click.argument("token")
@instance
async def show_(instance: Instance, token: str) -> None:
    """Show one admin token. TOKEN is its id or its prefix. Example: softix tokens show tok_1234567890abcdef"""
    show(operations.as_fields(await operations.show(instance.storage, token), instance.clock.now_us()))


@tokens.command()
@click.argument("token")
@click.option("--yes", is_flag=True, help="Do not ask.")
@instance
async def revoke(instance: Instance, token: str, yes: bool) -> None:
    """Revoke an admin token for good. It is refused from its next call on.

    TOKEN is its id or its prefix. Example: softix tokens revoke tok_1234567890abcdef --yes
    """
    found = await operations.show(instance.storage, token)
    confirm(f"Revoke the token {found.public_id} {found.label!r} for good?", yes)
    done = await operations.revoke(instance.storage, found.public_id, instance.granter)
    show(operations.as_fields(done, instance.clock.now_us()), "The token is revoked.")

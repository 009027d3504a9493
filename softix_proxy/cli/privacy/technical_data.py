"""The commands of `softix addresses`: from where and with which programs keys are used."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from softix_proxy.cli.console.console import COUNT, Group, confirm, instance, show, show_all
from softix_proxy.cli.console.spans import instant_of
from softix_proxy.cli.console.tables import TableLayout
from softix_proxy.operations.privacy import technical_data as operations

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance

_ADDRESSES = TableLayout(
    ("key", "user", "day", "address", "first_at", "last_at", "requests"), leave=("user", "first_at", "last_at")
)
_AGENTS = TableLayout(
    ("key", "user", "day", "family", "version", "device", "tls", "first_at", "last_at", "requests"),
    leave=("user", "first_at", "last_at", "tls"),
)


def _filters(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options that select rows. The command gets `key`, `user`, `from_` and `limit`."""
    for option in (
        click.option("--limit", type=COUNT, default=50, show_default=True, help="The most rows to list."),
        click.option("--from", "from_", metavar="DATE", help="Only what was used since then: a date or an instant."),
        click.option("--user", metavar="USER", help="Only the keys of this user: its id, name or e-mail address."),
        click.option("--key", metavar="KEY", help="Only this key: its id, prefix or label."),
    ):
        function = option(function)
    return function


@click.group(cls=Group)
def addresses() -> None:
    """Show from where and with which programs keys are used, and remove that. Example: softix addresses list"""


@addresses.command("list")
@_filters
@instance
async def list_(instance: Instance, key: str | None, user: str | None, from_: str | None, limit: int) -> None:
    """List the addresses of each key and day, the last used first.

    A day has at most 1,000 addresses of a key. Further ones are counted together, under the address `further`. What a
    running daemon has seen in the last 5 seconds may be missing. Example: softix addresses list --user ada
    """
    since_us = instant_of(instance, from_) or 0
    found = await operations.addresses(instance.storage, key=key, user=user, since_us=since_us, limit=limit)
    show_all([operations.address_fields(line) for line in found], _ADDRESSES)


@addresses.command()
@_filters
@instance
async def agents(instance: Instance, key: str | None, user: str | None, from_: str | None, limit: int) -> None:
    """List the programs of each key and day, the last used first.

    FAMILY is a name of softix's list, `other` for a program that is not on it, and `none` for one that said nothing.
    What a program calls itself is not stored. Example: softix addresses agents --key laptop --limit 10
    """
    since_us = instant_of(instance, from_) or 0
    found = await operations.agents(instance.storage, key=key, user=user, since_us=since_us, limit=limit)
    show_all([operations.agent_fields(line) for line in found], _AGENTS)


@addresses.command()
@click.option("--key", metavar="KEY", help="Remove that of this key: its id, prefix or label.")
@click.option("--user", metavar="USER", help="Remove that of all keys of this user: its id, name or e-mail address.")
@click.option("--account", metavar="ID", help="Remove from where this account signed in and acted: its id.")
@click.option("--all", "everybody", is_flag=True, help="Remove that of everybody.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@instance
async def purge(
    instance: Instance, key: str | None, user: str | None, account: str | None, everybody: bool, yes: bool
) -> None:
    """Remove addresses, programs and TLS versions before their time. Nothing else depends on them.

    Security events and entries of the audit stay, without from where they came. Example:
    softix addresses purge --user ada --yes
    """
    if [key is not None, user is not None, account is not None, everybody].count(True) != 1:
        raise click.UsageError("give one of --key, --user, --account and --all")
    named = key or user or account
    confirm(f"Remove the technical data of {named or 'everybody'} for good?", yes)
    if key is not None:
        done = await operations.purge_key(instance.storage, key)
    elif user is not None:
        done = await operations.purge_user(instance.storage, user)
    elif account is not None:
        done = await operations.purge_account(instance.storage, account)
    else:
        done = await operations.purge_all(instance.storage)
    fields = {"subject": done.subject or None, "removed": done.removed}
    show(fields, f"Removed {done.removed} rows.")

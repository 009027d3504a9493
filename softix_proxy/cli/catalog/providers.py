"""The commands of `softix providers`, which manage providers and their keys."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from softix_proxy.cli.catalog import providers_add, providers_test
from softix_proxy.cli.catalog.provider_fields import (
    as_fields,
    drop_field_option,
    hang_up_option,
    no_test_option,
    show_with_test,
    tell_base_url,
    tested,
)
from softix_proxy.cli.console.console import Group, confirm, instance, show, show_all, unknown_members_option
from softix_proxy.cli.console.key_source import KeySource, key_options
from softix_proxy.cli.console.tables import TableLayout
from softix_proxy.domain.catalog.providers import MAIN, OnDisconnect, ProviderStatus
from softix_proxy.domain.catalog.unknown_members import UnknownMembersRule
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.operations.catalog import providers as operations

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance


_LIST = TableLayout(
    ("name", "type", "base_url", "on_hang_up", "status", "has_key", "created_at", "drop_fields"),
    leave=("created_at", "drop_fields", "on_hang_up", "has_key", "base_url"),
)


@click.group(cls=Group)
def providers() -> None:
    """Add, test and change providers and their keys.

    Example: softix providers add openai --type openai --key-stdin
    """


providers.add_command(providers_add.add)
providers.add_command(providers_test.test)


@providers.command("list")
@instance
async def list_(instance: Instance) -> None:
    """List all providers. Example: softix providers list --json"""
    rows = [as_fields(provider) for provider in await operations.list_all(instance.storage)]
    show_all(rows, _LIST)


@providers.command("show")
@click.argument("name")
@instance
async def show_(instance: Instance, name: str) -> None:
    """Show one provider. Its key is never shown. Example: softix providers show openai"""
    show(as_fields(await operations.show(instance.storage, name)))


@providers.command("set-key")
@click.argument("name")
@key_options
@click.option("--label", default=MAIN, show_default=True, help="The label of the key.")
@click.option("--add", is_flag=True, help="Add the key to the others. Requests use them in turn.")
@click.option(
    "--weight",
    type=click.IntRange(1, 1000),
    help="The key's share of the requests. Without a key, only the share changes.",
)
@instance
async def set_key(
    instance: Instance,
    name: str,
    key_stdin: bool,
    key_env: str | None,
    key_file: Path | None,
    label: str,
    add: bool,
    weight: int | None,
) -> None:
    """Replace a provider's key, or add another one.

    Example: softix providers set-key openai --key-stdin < key.txt
    """
    key = KeySource(key_stdin, key_env, key_file).read(name, ask=add or weight is None)
    if key is None and weight is None:
        raise BadInputError("there is no key", "give --key-stdin, --key-env or --key-file")
    vault = await instance.vault()
    show(as_fields(await operations.set_key(instance.storage, vault, name, key, label=label, weight=weight, add=add)))


@providers.command("remove-key")
@click.argument("name")
@click.argument("label")
@click.option("--yes", is_flag=True, help="Do not ask.")
@instance
async def remove_key(instance: Instance, name: str, label: str, yes: bool) -> None:
    """Delete one of a provider's keys. Example: softix providers remove-key openai second --yes"""
    confirm(f"Delete the key {label} of {name}?", yes)
    show(as_fields(await operations.remove_key(instance.storage, name, label)))


@providers.command()
@click.argument("name")
@click.option("--base-url", metavar="URL", help="The new address. You must give the key again.")
@key_options
@hang_up_option
@click.option("--region", metavar="R", help="The region where it works. The word `none` removes it.")
@drop_field_option
@click.option(
    "--keep-field",
    "keep_fields",
    metavar="FIELD",
    multiple=True,
    help="Send a field again that was left out. Repeat it for more fields.",
)
@unknown_members_option
@no_test_option
@instance
async def update(
    instance: Instance,
    name: str,
    base_url: str | None,
    key_stdin: bool,
    key_env: str | None,
    key_file: Path | None,
    on_hang_up: OnDisconnect | None,
    region: str | None,
    drop_fields: tuple[str, ...],
    keep_fields: tuple[str, ...],
    unknown_members: UnknownMembersRule | Literal["none"] | None,
    no_test: bool,
) -> None:
    """Change a provider. Example: softix providers update lab --base-url http://10.0.0.6:8000"""
    key = KeySource(key_stdin, key_env, key_file).read(name, ask=False)
    provider = await operations.update(
        instance.storage,
        await instance.vault(),
        name,
        base_url=base_url,
        key=key,
        on_hang_up=on_hang_up,
        region="" if region == "none" else region,
        drop_fields=drop_fields,
        keep_fields=keep_fields,
        unknown_members="" if unknown_members == "none" else unknown_members,
    )
    test = None
    if base_url is not None:
        test = await tested(instance, name, base_url, provider.type, no_test=no_test)
        provider = await operations.show(instance.storage, name)
        tell_base_url(base_url, provider)
    show_with_test(provider, test)


@providers.command()
@click.argument("name")
@instance
async def disable(instance: Instance, name: str) -> None:
    """Stop using a provider from the next request on. Example: softix providers disable openai"""
    show(as_fields(await operations.set_status(instance.storage, name, ProviderStatus.DISABLED)))


@providers.command()
@click.argument("name")
@instance
async def enable(instance: Instance, name: str) -> None:
    """Use a disabled provider again. Example: softix providers enable openai"""
    show(as_fields(await operations.set_status(instance.storage, name, ProviderStatus.ACTIVE)))


@providers.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@instance
async def remove(instance: Instance, name: str, yes: bool) -> None:
    """Delete a provider's keys and disable its models. Example: softix providers remove openai --yes"""
    await operations.show(instance.storage, name)
    confirm(f"Remove {name}, with its key and its models?", yes)
    show(as_fields(await operations.remove(instance.storage, name)), f"Removed {name}; its name is free again.")

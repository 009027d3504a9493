"""softix providers: where models run, and the keys for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from softix_proxy.cli import providers_add, providers_test
from softix_proxy.cli.console import Group, confirm, office, show, show_all
from softix_proxy.cli.key_source import KeySource, key_options
from softix_proxy.cli.provider_fields import (
    as_fields,
    drop_field_option,
    hang_up_option,
    no_test_option,
    show_with_test,
    tell_base_url,
    tested,
)
from softix_proxy.cli.tables import TableLayout
from softix_proxy.domain.errors import BadInputError
from softix_proxy.domain.providers import MAIN, HangUp, ProviderStatus
from softix_proxy.operations import providers as operations

if TYPE_CHECKING:
    from softix_proxy.assembly import Office


_LIST = TableLayout(
    ("name", "type", "base_url", "on_hang_up", "status", "has_key", "created_at", "drop_fields"),
    leave=("created_at", "drop_fields", "on_hang_up", "has_key", "base_url"),
)


@click.group(cls=Group)
def providers() -> None:
    """Where models run, and the keys for it. Example: softix providers add openai --type openai --key-stdin"""


providers.add_command(providers_add.add)
providers.add_command(providers_test.test)


@providers.command("list")
@office
async def list_(office: Office) -> None:
    """List all providers. Example: softix providers list --json"""
    rows = [as_fields(provider) for provider in await operations.list_all(office.storage)]
    show_all(rows, _LIST)


@providers.command("show")
@click.argument("name")
@office
async def show_(office: Office, name: str) -> None:
    """Show one provider; never its key. Example: softix providers show openai"""
    show(as_fields(await operations.show(office.storage, name)))


@providers.command("set-key")
@click.argument("name")
@key_options
@click.option("--label", default=MAIN, show_default=True, help="Which of its keys.")
@click.option("--add", is_flag=True, help="Beside the others: requests take turns with them.")
@click.option("--weight", type=click.IntRange(1, 1000), help="Its share of the requests; alone, only this changes.")
@office
async def set_key(
    office: Office,
    name: str,
    key_stdin: bool,
    key_env: str | None,
    key_file: Path | None,
    label: str,
    add: bool,
    weight: int | None,
) -> None:
    """Replace a provider's key, or add another one. Example: softix providers set-key openai --key-stdin < key.txt"""
    key = KeySource(key_stdin, key_env, key_file).read(name, ask=add or weight is None)
    if key is None and weight is None:
        raise BadInputError("there is no key", "give --key-stdin, --key-env or --key-file")
    vault = await office.vault()
    show(as_fields(await operations.set_key(office.storage, vault, name, key, label=label, weight=weight, add=add)))


@providers.command("remove-key")
@click.argument("name")
@click.argument("label")
@click.option("--yes", is_flag=True, help="Do not ask.")
@office
async def remove_key(office: Office, name: str, label: str, yes: bool) -> None:
    """Wipe one of a provider's keys. Example: softix providers remove-key openai second --yes"""
    confirm(f"Wipe the key {label} of {name}?", yes)
    show(as_fields(await operations.remove_key(office.storage, name, label)))


@providers.command()
@click.argument("name")
@click.option("--base-url", metavar="URL", help="Where it is now; the key has to be given again.")
@key_options
@hang_up_option
@click.option("--region", metavar="R", help="Where it works; `none` takes it away.")
@drop_field_option
@click.option("--keep-field", "keep_fields", metavar="FIELD", multiple=True, help="Send it again.")
@no_test_option
@office
async def update(
    office: Office,
    name: str,
    base_url: str | None,
    key_stdin: bool,
    key_env: str | None,
    key_file: Path | None,
    on_hang_up: HangUp | None,
    region: str | None,
    drop_fields: tuple[str, ...],
    keep_fields: tuple[str, ...],
    no_test: bool,
) -> None:
    """Change a provider. Example: softix providers update lab --base-url http://10.0.0.6:8000"""
    key = KeySource(key_stdin, key_env, key_file).read(name, ask=False)
    provider = await operations.update(
        office.storage,
        await office.vault(),
        name,
        base_url=base_url,
        key=key,
        on_hang_up=on_hang_up,
        region="" if region == "none" else region,
        drop_fields=drop_fields,
        keep_fields=keep_fields,
    )
    test = None
    if base_url is not None:
        test = await tested(office, name, base_url, provider.type, no_test=no_test)
        provider = await operations.show(office.storage, name)
        tell_base_url(base_url, provider)
    show_with_test(provider, test)


@providers.command()
@click.argument("name")
@office
async def disable(office: Office, name: str) -> None:
    """Send a provider nothing from the next request on. Example: softix providers disable openai"""
    show(as_fields(await operations.set_status(office.storage, name, ProviderStatus.DISABLED)))


@providers.command()
@click.argument("name")
@office
async def enable(office: Office, name: str) -> None:
    """Use a disabled provider again. Example: softix providers enable openai"""
    show(as_fields(await operations.set_status(office.storage, name, ProviderStatus.ACTIVE)))


@providers.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@office
async def remove(office: Office, name: str, yes: bool) -> None:
    """Wipe a provider's key and disable its models. Example: softix providers remove openai --yes"""
    await operations.show(office.storage, name)
    confirm(f"Remove {name}, with its key and its models?", yes)
    show(as_fields(await operations.remove(office.storage, name)), f"Removed {name}; its name is free again.")

"""The commands of `softix objects`, about what is kept at providers and who may name it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from softix_proxy.cli.console.console import COUNT, Group, instance, show, show_all
from softix_proxy.cli.console.tables import TableLayout
from softix_proxy.domain.access.objects import KINDS, ObjectShare, OwnedObject
from softix_proxy.domain.core.clock import format_instant
from softix_proxy.operations.access import objects as operations

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance

_COLUMNS = TableLayout(("kind", "id", "user", "provider", "provider_key", "created_at"), leave=("provider_key",))
_EVERYBODY = "everybody"


def as_fields(found: OwnedObject | ObjectShare) -> dict[str, Any]:
    return {
        "kind": found.kind,
        "id": found.remote_id,
        "user": found.user or _EVERYBODY,
        "provider": found.provider,
        "provider_key": found.provider_key,
        "created_at": format_instant(found.created_at_us),
    }


@click.group(cls=Group)
def objects() -> None:
    """List what is kept at providers, and share it. Example: softix objects list"""


@objects.command("list")
@click.option("--shared", is_flag=True, help="List what is shared instead.")
@click.option("--user", help="Only what this user has: name, e-mail or id.")
@click.option("--kind", type=click.Choice(list(KINDS)), help="Only things of this kind.")
@click.option("--limit", type=COUNT, default=100, show_default=True, help="The most rows to list.")
@instance
async def list_(instance: Instance, shared: bool, user: str | None, kind: str | None, limit: int) -> None:
    """List what users keep at providers, the newest first. Example: softix objects list --user ada"""
    if shared:
        show_all([as_fields(each) for each in await operations.shares(instance.storage)], _COLUMNS)
        return
    found = await operations.list_all(instance.storage, user=user, kind=kind, limit=limit)
    show_all([as_fields(each) for each in found], _COLUMNS)


def _of_a_share(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options that say what is shared with whom."""
    for option in (
        click.option("--user", help="The user who may name it. Without it, everybody may."),
        click.option("--provider-key", help="The label of the provider's key, if it has several."),
        click.option("--provider", required=True, help="The provider that keeps it."),
        click.argument("name", metavar="ID"),
        click.argument("kind", type=click.Choice(list(KINDS)), metavar="KIND"),
    ):
        command = option(command)
    return command


@objects.command()
@_of_a_share
@instance
async def share(
    instance: Instance, kind: str, name: str, provider: str, provider_key: str | None, user: str | None
) -> None:
    """Offer users something at a provider that is not their own.

    Users share the provider's account, so a request may name only what its user made, and what you share. KIND is for
    example vector_store, prompt, skill, voice, cache or file_uri. ID is the provider's own. Example: softix objects
    share vector_store vs_68f1 --provider openai --user ada
    """
    made = await operations.share(
        instance.storage, kind=kind, name=name, provider=provider, key=provider_key, user=user
    )
    show(as_fields(made), "Shared.")


@objects.command()
@_of_a_share
@instance
async def unshare(
    instance: Instance, kind: str, name: str, provider: str, provider_key: str | None, user: str | None
) -> None:
    """Stop offering what `share` offered. Example: softix objects unshare vector_store vs_68f1 --provider openai"""
    taken = await operations.unshare(
        instance.storage, kind=kind, name=name, provider=provider, key=provider_key, user=user
    )
    show(as_fields(taken), "No longer shared.")

"""The commands of `softix audit`: what operators did in the portal, and whether the record of it is whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from softix_proxy.cli.console.console import COUNT, Group, instance, say, show, show_all
from softix_proxy.cli.console.tables import TableLayout
from softix_proxy.domain.accounts.audit import AuditEntry
from softix_proxy.domain.core.clock import format_instant
from softix_proxy.operations.accounts import audit as operations

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance

_COLUMNS = TableLayout(("id", "at", "actor", "action", "subject"), leave=("actor",))


def as_fields(entry: AuditEntry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "at": format_instant(entry.at_us),
        "actor": entry.actor,
        "action": entry.action.value,
        "subject": entry.subject,
        "sha256": entry.sha256.hex(),
    }


@click.group(cls=Group)
def audit() -> None:
    """Show what operators did in the portal, and verify the record of it. Example: softix audit list"""


@audit.command("list")
@click.option("--limit", type=COUNT, default=50, show_default=True, help="The most entries to list.")
@instance
async def list_(instance: Instance, limit: int) -> None:
    """List the entries, the newest first. Example: softix audit list --limit 10"""
    show_all([as_fields(entry) for entry in await operations.page(instance.storage, limit=limit)], _COLUMNS)


@audit.command()
@instance
async def verify(instance: Instance) -> None:
    """Verify that no entry was changed or is missing. The exit code is 1 if one was. Example: softix audit verify"""
    verified = await operations.verify(instance.storage)
    whole = verified.broken_at is None
    say(f"The chain is {'whole' if whole else f'broken at entry {verified.broken_at}'}.")
    show({"entries": verified.entries, "broken_at": verified.broken_at, "whole": whole})
    if not whole:
        raise SystemExit(1)

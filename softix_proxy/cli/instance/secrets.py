"""The commands of `softix secrets` for the master key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from softix_proxy.cli.console.console import Group, confirm, instance, say, show
from softix_proxy.operations.instance import secrets as operations

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance


@click.group(cls=Group)
def secrets() -> None:
    """Show and rotate the master key. Example: softix secrets status"""


@secrets.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@instance
async def rotate(instance: Instance, yes: bool) -> None:
    """Replace the master key by a new one. API keys stay as they are.

    You can run it while softix serves. If it was interrupted, run it again, and it continues.
    Example: softix secrets rotate --yes
    """
    confirm("Backups made until now open with the old master key only. Is a copy of it kept with them?", yes)
    done = await operations.rotate(instance.storage, instance.master_keys())
    if not done.in_place:
        say(
            f"Now put the new key, in {instance.settings.paths.master_key}.next, where the old one comes from, "
            "restart, and run: softix secrets rotate"
        )
    show(
        {
            "master_key_id": done.key_id,
            "resumed": done.resumed,
            "rewrapped": done.rewrapped,
            "in_place": done.in_place,
        },
        "The change that was begun before is at its end." if done.resumed else "The new master key holds.",
    )


@secrets.command("status")
@instance
async def status(instance: Instance) -> None:
    """Show which master key is in use, and how many secrets it seals. Example: softix secrets status --json"""
    state = await operations.status(instance.storage, instance.master_keys())
    if state.rotating:
        say("A change of the master key is under way. Go on with: softix secrets rotate")
    show(
        {
            "master_key_id": state.key_id,
            "source": state.source,
            "secrets": state.secrets,
            "outstanding": state.outstanding,
            "rotating": state.rotating,
        }
    )

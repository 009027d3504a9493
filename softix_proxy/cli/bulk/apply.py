"""The command `softix apply`, which makes an instance as a file describes it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from softix_proxy.cli.console.console import Command, confirm, instance, invocation, say, show, show_all
from softix_proxy.cli.console.tables import TableLayout, plain

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance
    from softix_proxy.cli.bulk.plan import Planned

_COLUMNS = TableLayout(("effect", "section", "name", "fields"), prose=("fields",))
_KEYS = TableLayout(("user", "name", "id", "key"), leave=("id",))


@click.command(cls=Command)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@instance
async def apply(instance: Instance, file: Path, dry_run: bool, yes: bool) -> None:
    """Make users, keys, limits, models, prices and routes as a TOML or YAML file describes them.

    Everything is done, or nothing. What the file does not name stays as it is, and a second run changes nothing.
    Example: softix apply softix.toml --dry-run
    """
    from softix_proxy.cli.admin_api.described import CommandTable
    from softix_proxy.cli.bulk.documents import read_document
    from softix_proxy.cli.bulk.one_transaction import OneTransaction
    from softix_proxy.cli.bulk.plan import Effect, do_all, try_all

    commands = CommandTable()
    wanted = read_document(file, commands.described)
    async with instance.storage.rehearsal().writing() as unit:
        planned = await try_all(OneTransaction(commands, instance, unit).call, wanted)
    count = sum(each.effect is not Effect.UNCHANGED for each in planned)
    if count and not dry_run:
        if not (yes or invocation().as_json):
            show_all([_row(each) for each in planned if each.effect is not Effect.UNCHANGED], _COLUMNS)
        confirm(f"Make {count} change{'s' if count > 1 else ''}?", yes)
        async with instance.storage.writing() as unit:
            planned = await do_all(OneTransaction(commands, instance, unit).call, planned)
    _tell(planned, dry_run=dry_run)


def _tell(planned: Sequence[Planned], *, dry_run: bool) -> None:
    rows = [_row(each) for each in planned]
    keys = [] if dry_run else [key for each in planned if (key := _new_key(each)) is not None]
    effects = [row["effect"] for row in rows]
    sums = {name: effects.count(name) for name in ("created", "changed", "unchanged")}
    if invocation().as_json:
        show(
            {"changes": [row for row in rows if row["effect"] != "unchanged"], **sums, "keys": keys, "dry_run": dry_run}
        )
        return
    if changed := [row for row in rows if row["effect"] != "unchanged"]:
        show_all(changed, _COLUMNS)
    if keys:
        show_all(keys, _KEYS)
        say("Keep the keys now: they are not shown again.")
    say(", ".join(f"{count} {name}" for name, count in sums.items()) + (" (--dry-run)" if dry_run else ""))


def _row(planned: Planned) -> dict[str, Any]:
    differences = {name: {"before": old, "after": new} for name, (old, new) in planned.differences.items()}
    return {
        "effect": planned.effect.value,
        "section": planned.wanted.kind.section,
        "name": planned.wanted.kind.label(planned.wanted.entry),
        "fields": differences if invocation().as_json else _words(planned),
    }


def _words(planned: Planned) -> str:
    if planned.before is None:
        return ", ".join(f"{name} {plain(new)}" for name, (_, new) in planned.differences.items())
    return ", ".join(f"{name} {plain(old)} → {plain(new)}" for name, (old, new) in planned.differences.items())


def _new_key(planned: Planned) -> dict[str, Any] | None:
    printed = planned.printed
    if not isinstance(printed, dict) or planned.wanted.kind.section != "keys" or "key" not in printed:
        return None
    entry = planned.wanted.entry
    return {"user": entry["user"], "name": entry["name"], "id": printed["id"], "key": printed["key"]}

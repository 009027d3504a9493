"""The commands `softix users import` and `softix keys import`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from softix_proxy.cli.console.console import Command, dry_run_option, instance, invocation, say, show, show_all
from softix_proxy.cli.console.tables import TableLayout

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance
    from softix_proxy.cli.bulk.imports import Line

_FILE = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
_USERS = TableLayout(("line", "id", "name", "email", "error"), leave=("email",), prose=("error",))
_KEYS = TableLayout(("line", "id", "name", "key", "error"), leave=("name",), prose=("error",))


@click.command("import", cls=Command)
@_FILE
@dry_run_option
@instance
async def import_users(instance: Instance, file: Path, dry_run: bool) -> None:
    """Create the users of a CSV file: all of them, or none. Its columns are the options of users create.

    Example: softix users import users.csv --dry-run
    """
    await _import(instance, file, "users.create", _USERS, dry_run=dry_run)


@click.command("import", cls=Command)
@_FILE
@dry_run_option
@instance
async def import_keys(instance: Instance, file: Path, dry_run: bool) -> None:
    """Issue the keys of a CSV file: all of them, or none. Its columns are the options of keys create.

    The keys are shown only once. Example: softix keys import keys.csv --json
    """
    await _import(instance, file, "keys.create", _KEYS, dry_run=dry_run)


async def _import(instance: Instance, file: Path, command: str, table: TableLayout, *, dry_run: bool) -> None:
    from softix_proxy.cli.bulk.imports import import_all

    lines = await import_all(instance, file, command, dry_run=dry_run)
    failed = sum(line.error is not None for line in lines)
    rows = [_row(line, table, is_done=not (failed or dry_run)) for line in lines]
    if invocation().as_json:
        show({"imported": 0 if failed or dry_run else len(lines), "failed": failed, "dry_run": dry_run, "lines": rows})
    else:
        show_all([row for row in rows if row["error"]] if failed else rows, table)
        what = f"{len(lines)} lines are right" if dry_run else f"{len(lines)} lines are imported"
        say(f"{failed} of {len(lines)} lines are wrong. Nothing was imported." if failed else f"{what}.")
    if failed:
        raise SystemExit(1)


def _row(line: Line, table: TableLayout, *, is_done: bool) -> dict[str, Any]:
    """Returns one line of the report. What was undone has no id and no key."""
    made = line.printed if isinstance(line.printed, dict) else {}
    error = None if line.error is None else f"{line.error.message}. {line.error.remedy}".strip()
    told = {name: made.get(name) for name in table.columns if name not in ("line", "error")}
    if not is_done:
        told |= {name: None for name in ("id", "key") if name in told}
    return {"line": line.number, **told, "error": error}

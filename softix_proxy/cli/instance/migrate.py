"""The command `softix migrate`, which brings the database of an older softix to the schema of this one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from softix_proxy.cli.console.console import Command, invocation, say, show, show_all
from softix_proxy.cli.console.tables import TableLayout

if TYPE_CHECKING:
    from softix_proxy.domain.instance.migrations import Migrated, MigrationPlan

_STEPS = TableLayout(("number", "name", "why"), prose=("why",))


@click.command(cls=Command)
@click.option("--plan", "only_plan", is_flag=True, help="Show the steps, and change nothing.")
@click.option(
    "--backup-dir",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="The folder for the backup.  [default: beside the database]",
)
def migrate(only_plan: bool, backup_dir: Path | None) -> None:
    """Update the database of an older softix, after a backup. Stop softix serve and softix portal first.

    It does everything or nothing. The older softix cannot open the database afterwards. To go back, restore the backup,
    whose path is printed. Example: softix migrate --plan
    """
    from softix_proxy import assembly

    settings = invocation().settings()
    if only_plan:
        _show(assembly.migration_plan(settings, backup_dir))
        return
    done = assembly.migrate(settings, backup_dir)
    show(
        {
            "database": str(done.database),
            "schema_before": done.schema_before,
            "schema": done.schema,
            "applied": list(done.applied),
            "backup": str(done.backup) if done.backup else None,
        },
        sentence(done),
    )


def sentence(done: Migrated) -> str:
    if not done.applied:
        return f"The database was at schema {done.schema} already; nothing was changed."
    return f"Migrated {done.database} from schema {done.schema_before} to {done.schema}. The backup is {done.backup}"


def _show(plan: MigrationPlan) -> None:
    obstacle, remedy = plan.obstacle or (None, None)
    steps = [{"number": step.number, "name": step.name, "why": step.why} for step in plan.steps]
    fields = {
        "database": str(plan.database),
        "schema": plan.schema,
        "needed_schema": plan.needed_schema,
        "steps": steps,
        "backup_dir": str(plan.backup_dir),
        "needed_bytes": plan.needed_bytes,
        "free_bytes": plan.free_bytes,
        "obstacle": obstacle,
        "remedy": remedy,
    }
    if invocation().as_json or not steps:
        show(fields, None if steps else "Nothing is to be done.")
        return
    show({name: value for name, value in fields.items() if name != "steps"})
    show_all(steps, _STEPS)
    say("Do it: softix migrate" if plan.obstacle is None else f"It cannot be done now: {obstacle}. {remedy}.")

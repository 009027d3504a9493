"""The command `softix backup`, which copies the database while it is in use."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from softix_proxy.cli.console.console import Command, instance, show
from softix_proxy.domain.core.clock import format_instant
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.instance.backups import Retention
from softix_proxy.operations.instance import backups as operations

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance
    from softix_proxy.domain.instance.backups import MadeBackup

PLACE = click.Path(path_type=Path)


@click.command(cls=Command)
@click.argument("target", type=PLACE, required=False)
@click.option(
    "--encrypt/--plain", default=None, help="Encrypt it for the master key, or not.  [default: backup.encrypt]"
)
@click.option("--keep", metavar="COUNTS", help="Remove old backups of the folder, and keep such as 7d,4w,12m.")
@instance
async def backup(instance: Instance, target: Path | None, encrypt: bool | None, keep: str | None) -> None:
    """Make a backup of the database while it is in use. TARGET is a folder, or a file that does not exist.

    Without TARGET, the backup goes to backup.folder, by the settings of [backup]. It has every row that was
    acknowledged before. A file with its SHA-256 is beside it. Keep the master key elsewhere: it is not in the backup.
    Example: softix backup /backup --keep 7d,4w,12m
    """
    from softix_proxy import assembly

    section = instance.settings.backup
    place = target or section.folder
    if place is None:
        raise BadInputError("there is no folder for backups", "name one: softix backup DIR; or set backup.folder")
    retention = _retention(section.keep if keep is None and target is None else keep, place)
    sealed = section.encrypt if encrypt is None else encrypt
    made = await asyncio.to_thread(assembly.back_up, instance, place, encrypt=sealed, keep=retention)
    await operations.record(instance.storage, made)
    show(as_fields(made), f"The backup is {made.path}")


def _retention(text: str | None, place: Path) -> Retention | None:
    if text is None:
        return None
    try:
        retention = Retention.parse(text)
    except ValueError:
        raise BadInputError("--keep has another form", "write numbers of days, weeks and months: 7d,4w,12m") from None
    if not place.is_dir():
        raise BadInputError("--keep is about a folder, and the target is none", "name a folder that exists")
    return retention


def as_fields(made: MadeBackup) -> dict[str, object]:
    return {
        "path": str(made.path),
        "at": format_instant(made.at_us),
        "bytes": made.size_bytes,
        "sha256": made.sha256,
        "schema": made.schema,
        "encrypted": made.sealed,
        "took_ms": made.took_ms,
        "removed": list(made.removed),
    }

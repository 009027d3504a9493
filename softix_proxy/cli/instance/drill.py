"""The command `softix drill`, which tries whether a backup can be restored."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from softix_proxy.cli.console.console import Command, instance, say, show
from softix_proxy.cli.instance.restore import counted
from softix_proxy.domain.core.clock import SECOND_US, format_instant
from softix_proxy.operations.instance import backups as operations

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance
    from softix_proxy.domain.instance.backups import Drilled


@click.command(cls=Command)
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=False)
@instance
async def drill(instance: Instance, file: Path | None) -> None:
    """Test a backup: restore it elsewhere, verify it, and compare it with the database. It changes nothing.

    Without FILE, it tries the newest backup in backup.folder. If there is none, it makes one and removes it again. It
    prints how much would be lost if the database were lost now. The exit code is 1 if the backup is not good.
    Example: softix drill /backup/softix-20261201T040000Z.backup.sealed
    """
    from softix_proxy import assembly

    folder = instance.settings.backup.folder
    if file is None and folder is not None and folder.is_dir():
        file = operations.newest(folder)
    done = await assembly.drill(instance, file)
    show(_fields(done, instance.clock.now_us()), _sentence(done))
    if not done.is_well:
        raise SystemExit(1)
    if file is None:
        say("There is no backup to lose less by. Make one: softix backup DIR; or let the daemon: set backup.folder")


def _fields(done: Drilled, now_us: int) -> dict[str, object]:
    return {
        "ok": done.is_well,
        "backup": str(done.backup) if done.backup else None,
        "at": format_instant(done.at_us or None),
        "age_s": max(now_us - done.at_us, 0) // SECOND_US if done.at_us else None,
        "bytes": done.size_bytes,
        "backup_ms": done.backup_ms,
        "restore_ms": done.restore_ms,
        **counted("restored_", done.restored),
        **counted("lost_", done.lost),
        "violations": list(done.violations),
    }


def _sentence(done: Drilled) -> str:
    if not done.is_well:
        return "The backup is not good: it does not have what the database had at its time."
    lost = f"requests: {done.lost.usage_rows}, transfers: {done.lost.transfers}"
    return f"The backup can be restored. A restore would lose what came since ({lost})."

"""The command `softix restore`, which puts a backup in the place of the database."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from softix_proxy.cli.console.console import Command, confirm, invocation, say, show
from softix_proxy.domain.core.clock import format_instant
from softix_proxy.domain.core.money import format_usd

if TYPE_CHECKING:
    from softix_proxy.domain.instance.backups import BookCounts, Restored


@click.command(cls=Command)
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--given-out",
    multiple=True,
    metavar="NUMBER",
    help="The last number of a document that a customer has, such as INV-2026-00042. Repeat it for each series.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
def restore(file: Path, given_out: tuple[str, ...], yes: bool) -> None:
    """Replace the database by a backup. Stop softix serve and softix portal first.

    The backup is verified before anything is replaced: its checksum, its pages, its books, and that the master key is
    the right one. The files that were there are kept. Numbers of documents and manifests that they gave out are not
    given out again. If they are lost, name the last ones with --given-out.
    Example: softix restore /backup/softix-20261201T040000Z.backup.sealed
    """
    from softix_proxy import assembly

    settings = invocation().settings()
    if settings.paths.database.exists():
        confirm(f"Replace {settings.paths.database} by this backup? What was booked since is not in it.", yes)
    done = asyncio.run(assembly.restore(settings, file, given_out))
    show(_fields(done), f"Restored {done.database} from {done.backup}")
    if done.kept is None and not given_out:
        say(
            "Numbers that were given out after the backup cannot be known, since there was no database before.",
            "compare with the newest documents that customers have, and if there are newer ones, restore again with "
            "--given-out",
        )
    say("Next: softix doctor; then softix serve")


def _fields(done: Restored) -> dict[str, object]:
    return {
        "database": str(done.database),
        "backup": str(done.backup),
        "schema": done.schema,
        "migrated": list(done.migrated),
        **counted("", done.counts),
        "last_posted_at": format_instant(done.counts.last_posted_us or None),
        "kept": str(done.kept) if done.kept else None,
        **(counted("lost_", done.lost) if done.lost else dict.fromkeys(counted("lost_", done.counts))),
        "given_out": [f"{series}{number:05d}" for series, number in done.given_out.bills],
        "last_manifest": done.given_out.manifests or None,
    }


def counted(prefix: str, books: BookCounts) -> dict[str, object]:
    """Returns the counts as fields, whose names begin with the prefix."""
    return {
        f"{prefix}usage_rows": books.usage_rows,
        f"{prefix}transfers": books.transfers,
        f"{prefix}charge": format_usd(books.charge_pico),
    }

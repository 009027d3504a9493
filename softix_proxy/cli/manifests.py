"""softix export: prove that exported files are what they were."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from softix_proxy.cli.console import COUNT, Group, invocation, office, say, show, show_all
from softix_proxy.cli.tables import TableLayout
from softix_proxy.domain.errors import BadInputError
from softix_proxy.operations import instance
from softix_proxy.operations import manifests as operations

if TYPE_CHECKING:
    from softix_proxy.assembly import Office

_LIST = TableLayout(
    ("number", "created_at", "name", "format", "rows", "sha256"), leave=("sha256", "created_at", "format")
)
_KEY = re.compile(r"[0-9a-f]{64}")
_MOST_KEY_BYTES = 1024
"""Of a file that holds nothing else."""
_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


@click.group(cls=Group)
def export() -> None:
    """Exports are signed: prove what they are. Example: softix export verify exports --public-key softix-export.pub"""


@export.command()
@click.argument("folders", metavar="DIR...", nargs=-1, required=True, type=_FOLDER)
@click.option("--public-key", required=True, metavar="KEY", help="64 hex digits, or a file that holds them.")
@click.option("--first", type=COUNT, metavar="N", help="From this number on, no manifest may be missing.")
@click.option("--last", type=COUNT, metavar="N", help="Up to this number, no manifest may be missing.")
@click.option("--allow-gaps", is_flag=True, help="Manifests in between may lie elsewhere.")
def verify(folders: tuple[Path, ...], public_key: str, first: int | None, last: int | None, allow_gaps: bool) -> None:
    """Say which exported file, or which of its rows, was changed, removed or added; exit 1 for any.

    Needs neither database nor master key. That the newest exports were not removed is known only with --last: the
    number that softix export list shows.
    Example: softix export verify exports --public-key softix-export.pub --first 1
    """
    from softix_proxy import assembly

    key, spared = _key(public_key)
    audit = operations.verify(folders, key, assembly.is_signed, first=first, last=last, gaps=allow_gaps, spared=spared)
    findings = [finding._asdict() for finding in audit.findings]
    if invocation().as_json:
        told = {"manifests": audit.manifests, "files": audit.files, "first": audit.first, "last": audit.last}
        show({"ok": not findings, **told, "last_sha256": audit.last_sha256, "findings": findings})
    else:
        for finding in audit.findings:
            click.echo(f"{finding.file}: {finding.detail}")
        if audit.last is not None:
            say(f"manifests {audit.first} to {audit.last}, files: {audit.files}, last {audit.last_sha256}")
        if not findings:
            say("Everything is as it was exported.")
    if findings:
        raise SystemExit(1)


def _key(text: str) -> tuple[str, tuple[Path, ...]]:
    """The key, and the file that it was in."""
    if _KEY.fullmatch(text.strip().lower()):
        return text.strip().lower(), ()
    try:
        with Path(text).open("rb") as opened:
            found = opened.read(_MOST_KEY_BYTES).decode("ascii").strip().lower()
    except (OSError, ValueError):
        found = ""
    if not _KEY.fullmatch(found):
        raise BadInputError("no public key: 64 hex digits, or a file that holds them", "softix export public-key")
    return found, (Path(text),)


@export.command("public-key")
@office
async def public_key(office: Office) -> None:
    """Print the key that proves this instance's exports; it stays the same when the master key is changed.

    Give it to whoever is to check them, by another way than the files.
    Example: softix export public-key > softix-export.pub
    """
    signer = await instance.signer(office.storage, await office.vault())
    if invocation().as_json:
        show({"public_key": signer.public_key, "algorithm": "Ed25519"})
    else:
        click.echo(signer.public_key)


@export.command("list")
@office
async def list_(office: Office) -> None:
    """List what was exported to files, in the order of the chain. Example: softix export list"""
    rows = [
        {**manifest.head(), "sha256": manifest.sha256, "manifest": manifest.file_name}
        for manifest in await operations.list_all(office.storage)
    ]
    show_all(rows, _LIST)

"""The commands of `softix export`, which prove that exported files are unchanged."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from softix_proxy.cli.console.console import COUNT, Group, echo, echo_lines, instance, invocation, say, show, show_all
from softix_proxy.cli.console.tables import TableLayout
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.operations.instance import instance as instance_operations
from softix_proxy.operations.reporting import manifests as operations

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance

_LIST = TableLayout(
    ("number", "created_at", "name", "format", "rows", "sha256"), leave=("sha256", "created_at", "format")
)
_KEY = re.compile(r"[0-9a-f]{64}")
_MOST_KEY_BYTES = 1024
"""The largest size of a file with a key, which holds nothing else."""
_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


@click.group(cls=Group)
def export() -> None:
    """Verify signed exports, and list them. Example: softix export verify exports --public-key softix-export.pub"""


@export.command()
@click.argument("folders", metavar="DIR...", nargs=-1, required=True, type=_FOLDER)
@click.option("--public-key", required=True, metavar="KEY", help="The public key: 64 hex digits, or a file with them.")
@click.option("--first", type=COUNT, metavar="N", help="The first number from which no manifest may be missing.")
@click.option("--last", type=COUNT, metavar="N", help="The last number up to which no manifest may be missing.")
@click.option("--allow-gaps", is_flag=True, help="Allow gaps, if other manifests are in another place.")
def verify(folders: tuple[Path, ...], public_key: str, first: int | None, last: int | None, allow_gaps: bool) -> None:
    """Check whether exported files or their rows were changed, removed or added.

    The exit code is 1 if anything was. You need neither the database nor the master key. Only --last can prove that the
    newest exports were not removed: give it the number that softix export list shows.
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
            echo_lines([f"{finding.file}: {finding.detail}"])
        if audit.last is not None:
            say(f"manifests {audit.first} to {audit.last}, files: {audit.files}, last {audit.last_sha256}")
        if not findings:
            say("Everything is as it was exported.")
    if findings:
        raise SystemExit(1)


def _key(text: str) -> tuple[str, tuple[Path, ...]]:
    """Returns the key, and the file from which it was read."""
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
@instance
async def public_key(instance: Instance) -> None:
    """Print the public key that proves this instance's exports.

    It stays the same when you rotate the master key. Give it to those who check the files, but send it in another way
    than the files. Example: softix export public-key > softix-export.pub
    """
    signer = await instance_operations.signer(instance.storage, await instance.vault())
    if invocation().as_json:
        show({"public_key": signer.public_key, "algorithm": "Ed25519"})
    else:
        echo(signer.public_key)


@export.command("list")
@instance
async def list_(instance: Instance) -> None:
    """List the exports to files, in the order of the chain. Example: softix export list"""
    rows = [
        {**manifest.head(), "sha256": manifest.sha256, "manifest": manifest.file_name}
        for manifest in await operations.list_all(instance.storage)
    ]
    show_all(rows, _LIST)

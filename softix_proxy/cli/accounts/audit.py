"""The commands of `softix audit`: who did what, and whether the record of it is whole."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from softix_proxy.cli.console.console import (
    COUNT,
    Group,
    echo_json,
    echo_lines,
    instance,
    invocation,
    say,
    show,
    show_all,
)
from softix_proxy.cli.console.spans import instant_of
from softix_proxy.cli.console.tables import TableLayout
from softix_proxy.domain.accounts.audit import AuditChange, AuditEntry, changes_of
from softix_proxy.domain.accounts.audit_heads import parse_head
from softix_proxy.domain.core.clock import format_instant
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.exports.reporting.whole_file import whole_file
from softix_proxy.operations.accounts import audit as operations
from softix_proxy.operations.accounts.audit import AuditFilter
from softix_proxy.operations.privacy import technical_data

if TYPE_CHECKING:
    from collections.abc import Callable

    from softix_proxy.assembly import Instance

_COLUMNS = TableLayout(
    ("id", "at", "actor_kind", "actor", "channel", "action", "subject", "outcome"),
    leave=("channel", "actor_kind", "outcome", "actor"),
)
_POLL_S = 0.5
_MOST_HEAD_LETTERS = 200_000


def as_fields(entry: AuditEntry) -> dict[str, Any]:
    """Returns the fields of an entry, without its changes."""
    return {
        "id": entry.id,
        "at": format_instant(entry.at_us),
        "actor": entry.actor,
        "action": entry.action,
        "subject": entry.subject,
        "sha256": entry.sha256.hex(),
        "actor_kind": entry.actor_kind.value,
        "channel": entry.channel.value,
        "outcome": entry.outcome.value,
    }


def whole_fields(entry: AuditEntry) -> dict[str, Any]:
    """Returns all fields of an entry, with what it changed. The hash can be calculated from them."""
    return {**as_fields(entry), "version": entry.version, "at_us": entry.at_us, "changes": json.loads(entry.changes)}


def filter_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options that select entries. The command gets `actor`, `action`, `subject`, `from_` and `to`."""
    for option in (
        click.option("--to", metavar="DATE", help="The end: a date or an instant. It is not included."),
        click.option("--from", "from_", metavar="DATE", help="The start: a date or an instant."),
        click.option("--subject", help="What was changed: the id of a key, a user, or anything else."),
        click.option("--action", help="An operation such as keys.revoke, or its noun: keys."),
        click.option("--actor", help="Who did it: the id of an account or a token, or a number such as uid:1000."),
    ):
        function = option(function)
    return function


def _wanted(instance: Instance, asked: dict[str, str | None]) -> AuditFilter:
    return AuditFilter(
        asked["actor"] or "",
        asked["action"] or "",
        asked["subject"] or "",
        instant_of(instance, asked["from_"]),
        instant_of(instance, asked["to"]),
    )


@click.group(cls=Group)
def audit() -> None:
    """Show who did what, and verify the record of it. Example: softix audit list"""


@audit.command("list")
@filter_options
@click.option("--limit", type=COUNT, default=50, show_default=True, help="The most entries to list.")
@instance
async def list_(instance: Instance, limit: int, **asked: str | None) -> None:
    """List the entries, the newest first. Example: softix audit list --action keys --limit 10"""
    found = await operations.page(instance.storage, limit=limit, wanted=_wanted(instance, asked))
    show_all([as_fields(entry) for entry in found], _COLUMNS)


@audit.command("show")
@click.argument("number", type=COUNT)
@instance
async def show_(instance: Instance, number: int) -> None:
    """Show one entry with everything that it changed, before and after.

    ADDRESS and what follows say from where it was done. They are kept for retention.technical_days, and no part of the
    hash. Example: softix audit show 12
    """
    entry = await operations.show(instance.storage, number)
    origin = technical_data.origin_fields(await technical_data.origin_of(instance.storage, entry.id))
    fields = {**whole_fields(entry), **origin}
    if invocation().as_json:
        show(fields)
        return
    del fields["changes"]
    show(fields)
    for change in changes_of(entry):
        echo_lines([f"{change.kind} {change.id}", *_differences(change)])


def _differences(change: AuditChange) -> list[str]:
    named = [f"  {name}: {before!r} → {after!r}" for name, before, after in change.differences]
    return named + [f"  {name}: changed, and not shown" for name in change.hidden]


@audit.command()
@filter_options
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="The file to write, which must be new.")
@instance
async def export(instance: Instance, out: Path | None, **asked: str | None) -> None:
    """Export the entries as JSON lines, the oldest first, with all that is needed to verify them.

    Example: softix audit export --out audit.jsonl
    """
    wanted, count = _wanted(instance, asked), 0
    if out is None:
        async for entry in operations.follow(instance.storage, 0, wanted):
            echo_json(whole_fields(entry))
        return
    with whole_file(out, overwrite=False) as file:
        async for entry in operations.follow(instance.storage, 0, wanted):
            file.write(f"{json.dumps(whole_fields(entry))}\n".encode())
            count += 1
    show({"file": str(out), "entries": count}, f"Wrote {count} entries to {out}.")


@audit.command()
@filter_options
@click.option("--after", type=click.IntRange(0, 1_000_000_000), help="Begin after the entry of this number, not now.")
@instance
async def follow(instance: Instance, after: int | None, **asked: str | None) -> None:
    """Print each entry as it is written, until you press Ctrl-C. Example: softix audit follow --action keys"""
    wanted = _wanted(instance, asked)
    newest = await operations.page(instance.storage, limit=1)
    at = after if after is not None else (newest[0].id if newest else 0)
    say("Following the audit. Ctrl-C ends it.")
    with suppress(asyncio.CancelledError):
        while True:
            async for entry in operations.follow(instance.storage, at):
                at = entry.id
                if wanted.selects(entry):
                    _print(entry)
            await asyncio.sleep(_POLL_S)


def _print(entry: AuditEntry) -> None:
    if invocation().as_json:
        echo_json(whole_fields(entry))
        return
    fields = as_fields(entry)
    echo_lines(["  ".join(str(fields[name]) for name in _COLUMNS.columns)])


@audit.command()
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="The file to write, which must be new.")
@instance
async def sign(instance: Instance, out: Path | None) -> None:
    """Sign the newest entry, so that a removed end of the audit shows later. Keep the result elsewhere.

    Example: softix audit sign --out audit-head.json
    """
    from softix_proxy.operations.instance import instance as instance_operations

    signer = await instance_operations.signer(instance.storage, await instance.vault())
    fields = (await operations.sign(instance.storage, signer)).as_fields()
    if out is not None:
        with whole_file(out, overwrite=False) as file:
            file.write(f"{json.dumps(fields)}\n".encode())
    show(fields, "Keep this where nobody who can write the database can write.")


@audit.command()
@click.option(
    "--head",
    type=click.File("r", encoding="utf-8", errors="replace"),
    help="A file of softix audit sign, which the audit must go on from.",
)
@click.option("--public-key", metavar="KEY", help="The key that must have signed it: see softix export public-key.")
@instance
async def verify(instance: Instance, head: TextIO | None, public_key: str | None) -> None:
    """Verify that no entry was changed or is missing. The exit code is 1 if one was.

    Without --head, a removed end does not show. Example: softix audit verify --head audit-head.json
    """
    from softix_proxy import assembly

    signed = None if head is None else parse_head(head.read(_MOST_HEAD_LETTERS))
    if signed is not None and not signed.is_signed(assembly.is_signed):
        raise FailureError("the head was changed after it was signed", "take a copy that nobody could write")
    if signed is not None and public_key is not None and signed.public_key != public_key.strip().lower():
        raise FailureError("the head was signed by another instance", "compare with: softix export public-key")
    verified = await operations.verify(instance.storage, signed)
    whole = verified.broken_at is None
    say(f"The chain is {'whole' if whole else f'broken at entry {verified.broken_at}'}.")
    show({"entries": verified.entries, "broken_at": verified.broken_at, "whole": whole})
    if not whole:
        raise SystemExit(1)

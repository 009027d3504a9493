"""The commands `softix prices import`, `diff`, `approve` and `reject` for prices that wait for approval."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from softix_proxy.cli.console.console import (
    Command,
    confirm,
    dry_run_option,
    instance,
    invocation,
    rehearsed,
    say,
    show,
    show_all,
    stage,
)
from softix_proxy.cli.console.tables import TableLayout
from softix_proxy.cli.pricing.price_changes import change_fields, change_row
from softix_proxy.domain.core.calendar import calendar
from softix_proxy.domain.core.clock import format_instant
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.operations.pricing import price_proposals as operations
from softix_proxy.operations.pricing.price_proposals import Proposed

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance
    from softix_proxy.domain.ports.storage import Storage


_LIST = TableLayout(
    ("model", "user", "source", "tier", "above", "price", "old", "new", "change"),
    leave=("source", "user", "above", "change"),
)


def as_fields(proposed: Proposed) -> dict[str, Any]:
    return {
        "model": proposed.model.name,
        "provider": proposed.provider.name,
        "user": proposed.user.name if proposed.user else None,
        "source": proposed.proposal.source,
        "starts_at": format_instant(proposed.proposal.starts_at_us),
        "free": proposed.proposal.sheet.free,
        "changes": [change_fields(change) for change in proposed.changes],
    }


def _lines(proposed: Sequence[Proposed]) -> Iterator[dict[str, Any]]:
    """Yields a line for each unit price that changes, for people."""
    for one in proposed:
        for change in one.changes:
            yield {
                "model": one.full_name,
                "user": one.user.name if one.user else None,
                "source": one.proposal.source,
                **change_row(change),
            }


def _show(proposed: Sequence[Proposed]) -> None:
    if invocation().as_json:
        show_all([as_fields(one) for one in proposed], _LIST)
        return
    show_all(_lines(proposed), _LIST)


def _conclude(done: str, count: int, dry_run: bool, more: str = "") -> None:
    say(f"{f'Would be {done}' if dry_run else done.capitalize()}: {count}.{more}")
    rehearsed({}, dry_run)


@click.command("import", cls=Command)
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--catalog", "--catalogue", is_flag=True, help="Import the prices that this version of softix was shipped with."
)
@click.option("--approve", "at_once", is_flag=True, help="Approve the imported prices at once.")
@dry_run_option
@instance
async def import_(instance: Instance, file: Path | None, catalog: bool, at_once: bool, dry_run: bool) -> None:
    """Propose prices from a CSV or JSON file, or from the shipped catalogue.

    Nothing applies until you approve it. A CSV file has one line for each model: model,input,output,cached_input in USD
    per million tokens. Example: softix prices import prices.csv
    """
    if (file is None) == (not catalog):
        raise BadInputError("which prices?", "name a file, or give --catalog")
    imported = await _imported(stage(instance, dry_run), file, calendar(instance.settings.billing.zone).zone)
    proposed = imported.proposed
    if at_once and proposed and not dry_run:
        await operations.approve(instance.storage, [one.full_name for one in proposed])
    state = "approved" if at_once else "proposed"
    if invocation().as_json:
        told = {
            state: [as_fields(one) for one in proposed],
            "unchanged": imported.unchanged,
            "not_enabled": list(imported.not_enabled),
        }
        show(rehearsed(told, dry_run))
        return
    _show(proposed)
    _conclude(state, len(proposed), dry_run, f" Stated as they are: {imported.unchanged}.")
    if imported.not_enabled:
        say(f"In the catalogue and not enabled here: {len(imported.not_enabled)} (see --json; softix models add)")
    if proposed and not at_once and not dry_run:
        say("They apply after: softix prices approve --all (or name models)")


async def _imported(storage: Storage, file: Path | None, zone: tzinfo) -> operations.Imported:
    if file is None:
        from softix_proxy.operations.catalog import catalogue

        return await operations.import_catalogue(storage, catalogue.load())
    from softix_proxy.imports import price_list

    try:
        with file.open("rb") as opened:
            data = await asyncio.to_thread(opened.read, price_list.MOST_BYTES + 1)
    except OSError as error:
        raise BadInputError(f"cannot read {file}: {error.strerror}", "check its name and mode") from None
    rows = price_list.read(data, file.name, zone)
    return await operations.import_rows(storage, rows, file.name)


@click.command(cls=Command)
@instance
async def diff(instance: Instance) -> None:
    """Compare the proposed prices with those in force. Example: softix prices diff"""
    _show(await operations.pending(instance.storage))


_MODELS = click.argument("models", nargs=-1)
_ALL = click.option("--all", "every", is_flag=True, help="All proposed prices.")


def _require(models: tuple[str, ...], every: bool) -> None:
    if every == bool(models):
        raise BadInputError("which prices?", "name models, or give --all; see: softix prices diff")


@click.command(cls=Command)
@_MODELS
@_ALL
@dry_run_option
@instance
async def approve(instance: Instance, models: tuple[str, ...], every: bool, dry_run: bool) -> None:
    """Approve proposed prices. They apply from now on, or from their date.

    Example: softix prices approve openai/gpt-4o
    """
    _require(models, every)
    approved = await operations.approve(stage(instance, dry_run), models)
    _show(approved)
    _conclude("approved", len(approved), dry_run)


@click.command(cls=Command)
@_MODELS
@_ALL
@click.option("--yes", is_flag=True, help="Do not ask.")
@dry_run_option
@instance
async def reject(instance: Instance, models: tuple[str, ...], every: bool, yes: bool, dry_run: bool) -> None:
    """Reject proposed prices. Example: softix prices reject --all"""
    _require(models, every)
    confirm("Drop the proposed prices of " + ("all models" if every else ", ".join(models)) + "?", yes or dry_run)
    rejected = await operations.reject(stage(instance, dry_run), models)
    _show(rejected)
    _conclude("dropped", len(rejected), dry_run)


COMMANDS = (import_, diff, approve, reject)

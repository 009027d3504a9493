"""The command `softix usage export`, which writes the formats of accounting programs.

They go to standard output, or to files with a signed manifest.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from softix_proxy.cli.console.console import Command, OutputFields, instance, invocation, say, show, write_file
from softix_proxy.domain.core.clock import parse_zone
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.core.money import CURRENCY, format_usd
from softix_proxy.domain.core.spans import Span
from softix_proxy.domain.reporting.manifests import ExportContents
from softix_proxy.exports.ledger.form import Granularity
from softix_proxy.exports.reporting.atomic_file import AtomicExport
from softix_proxy.operations.instance import instance as instance_operations
from softix_proxy.operations.ledger import periods
from softix_proxy.operations.metering.usage import UsageExport
from softix_proxy.operations.reporting import exports as operations
from softix_proxy.operations.reporting import manifests

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance


@click.command(cls=Command)
@click.option("--period", metavar="PERIOD", help="A closed period, as softix period list shows it.")
@click.option("--from", "from_", metavar="DATE", help="The start: a date or an instant.")
@click.option("--to", metavar="DATE", help="The end: a date or an instant. It is not included.")
@click.option(
    "--zone", metavar="ZONE", help="The time zone of days: an IANA name.  [default: the period's, or billing.zone]"
)
@click.option("--user", metavar="USER", help="Only export this user: id, name or e-mail.")
@click.option(
    "--tag",
    "tags",
    multiple=True,
    metavar="NAME=VALUE",
    help="Only export the rows with this tag, as csv or jsonl. It can be given several times.",
)
@click.option(
    "--format", "form", type=click.Choice(operations.FORMATS), help="The format.  [default: csv, or jsonl with --json]"
)
@click.option(
    "--granularity", type=click.Choice(get_args(Granularity)), help="Make an entry for each row, day or month."
)
@click.option(
    "--name",
    "names",
    multiple=True,
    metavar="ROLE=NAME",
    help="The name that your books have for cash, revenue or another role.",
)
@click.option("--costs", is_flag=True, help="Export the providers' costs too, as an expense.")
@click.option("--opening", is_flag=True, help="Start with the earlier balances, for books that begin here.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="The file or folder to write, completely or not at all.  [default: standard output]",
)
@click.option("--force", is_flag=True, help="Overwrite files.")
@click.option("--resume", is_flag=True, help="Keep what an interrupted export wrote, and continue there: csv, jsonl.")
@instance
async def export(instance: Instance, out: Path | None, force: bool, resume: bool, **options: Any) -> None:
    """Export the requests of a period, or all movements of money, for accounting.

    The period counts by the time of posting. Each file gets a manifest beside it, with hashes, sums by user and a
    signature. softix export verify proves them.
    Example: softix usage export --from 2026-10-01 --to 2026-11-01 --format hledger --out october.journal
    """
    wanted = await _wanted(instance, out, **options)
    if resume:
        _require_rows(wanted.format, out)
        if wanted.tags:
            raise BadInputError("an export of tags cannot be gone on with", "leave out --resume")
    if out is None:
        exported = await operations.export(instance.storage, wanted)
        total = await _write(exported, _printing(wanted.format))
        _tell(total, None, None, in_folder=False)
    else:
        await _publish(instance, wanted, out, force, resume)
    _warn_of_an_open_end(wanted.span, instance.clock.now_us(), wanted.format, wanted.granularity)


async def _wanted(
    instance: Instance,
    out: Path | None,
    period: str | None,
    from_: str | None,
    to: str | None,
    zone: str | None,
    **more: Any,
) -> operations.ExportRequest:
    form = more.pop("form") or ("jsonl" if invocation().as_json and out is None else "csv")
    home = instance.settings.billing.zone
    asked = await periods.asked_or_closed(instance.storage.reading(), period, from_, to, zone or home)
    return operations.ExportRequest(form, asked.span, zone=parse_zone(zone or asked.zone), **more)


async def _publish(instance: Instance, wanted: operations.ExportRequest, out: Path, force: bool, resume: bool) -> None:
    exported = await operations.export(
        instance.storage, wanted
    )  # refuses impossible options before anything is changed
    in_folder, account = _in_folder(wanted.format, out), await operations.account(instance.storage, wanted)
    signer = await instance_operations.signer(instance.storage, await instance.vault())
    published = await manifests.made_up(instance.storage, out, account)
    if published is not None:
        total = _total_of(published.body["totals"][0])
    else:
        form = operations.row_form(wanted.format)
        with AtomicExport(out, overwrite=force, in_folder=in_folder, form=form, resumable=resume) as draft:
            left = draft.begun()
            if left is not None:
                wanted = await operations.gone_on(instance.storage, wanted, left, account)
                exported = await operations.export(instance.storage, wanted)
                draft.go_on(left)
                say(f"{left.rows:,} rows are there already")
            total = await _write(exported, draft.write, account)
            if left is not None:
                total = _total_of(account.totals()[0])
            published = await manifests.publish(instance.storage, signer, draft, account, exported.last_us)
    _tell(total, out, published, in_folder)


async def _write(
    exported: UsageExport, write: Callable[[bytes, str], object], account: ExportContents | None = None
) -> OutputFields:
    """Writes the export and returns its sums."""
    rows = cost_pico = charge_pico = 0
    with _progress(exported.expected_rows) as advance:
        async for chunk in exported.chunks:
            if chunk.text:
                write(chunk.text, chunk.file)
            if account is not None and chunk.sums is not None:
                account.add(chunk.sums)
            advance(chunk.rows)
            rows += chunk.rows
            cost_pico += chunk.cost_pico
            charge_pico += chunk.charge_pico
    return _total(rows, format_usd(cost_pico), format_usd(charge_pico))


def _total_of(totals: OutputFields) -> OutputFields:
    return _total(totals["rows"], totals["provider_cost"], totals["charge"])


def _require_rows(form: str, out: Path | None) -> None:
    if out is None or out.is_dir() or operations.row_form(form) is None:
        raise BadInputError("only a file of rows can be gone on with", "give --out FILE, and --format csv or jsonl")


def _total(rows: int, provider_cost: str, charge: str) -> OutputFields:
    return {"rows": rows, "provider_cost": provider_cost, "charge": charge, "currency": CURRENCY}


def _tell(
    total: OutputFields, out: Path | None, published: manifests.PublishedManifest | None, in_folder: bool
) -> None:
    files = [file["name"] for file in published.body["files"]] if published and in_folder else []
    if out is not None and invocation().as_json:
        proof = {"manifest": str(published.place), "number": published.manifest.number} if published else {}
        show({"out": str(out), **total, **({"files": files} if files else {}), **proof})
    place = "" if out is None else f" → {out}" + (f": {', '.join(files)}" if files else "")
    proof_of = f", with manifest {published.manifest.number}" if published else ""
    amounts = f"charged {total['charge']} {CURRENCY}, provider cost {total['provider_cost']} {CURRENCY}"
    say(f"{total['rows']:,} rows, {amounts}{place}{proof_of}")


def _warn_of_an_open_end(span: Span, now_us: int, form: str, granularity: Granularity | None) -> None:
    if span.to_us > now_us and operations.sums_up(form, granularity):
        say("the period is not over: what is posted later changes its sums, so import it when it is")


def _in_folder(form: str, out: Path) -> bool:
    several = operations.several_files(form)
    if several and out.exists() and not out.is_dir():
        raise BadInputError(f"{out} is not a folder, and {form} makes several files", "name a folder: --out DIR")
    return several or out.is_dir()


def _printing(form: str) -> Callable[[bytes, str], object]:
    if operations.several_files(form):
        raise BadInputError(f"{form} makes several files", "name a folder for them: --out DIR")
    return lambda text, file: write_file(text)


@contextmanager
def _progress(expected_rows: int) -> Iterator[Callable[[int], None]]:
    """Shows a bar on a terminal's standard error, unless the lines themselves go there."""
    if invocation().as_json or not sys.stderr.isatty():
        yield lambda rows: None
        return
    from rich import progress
    from rich.console import Console

    columns = (
        progress.BarColumn(),
        progress.TextColumn("{task.completed:,.0f} of about {task.total:,.0f} rows"),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=expected_rows)
        yield lambda rows: bar.advance(task, rows)

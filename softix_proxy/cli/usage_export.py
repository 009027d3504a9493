"""softix usage export: what accounting programs take, as whole files or on standard output."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, get_args

import click

from softix_proxy.cli.console import Command, invocation, office, say, show
from softix_proxy.domain.clock import parse_zone
from softix_proxy.domain.errors import BadInputError
from softix_proxy.domain.money import format_usd
from softix_proxy.domain.usage import CURRENCY, Span
from softix_proxy.exports.form import Granularity
from softix_proxy.exports.whole_file import Write, whole_file, whole_files
from softix_proxy.operations import exports as operations
from softix_proxy.operations.usage import parse_span

if TYPE_CHECKING:
    from softix_proxy.assembly import Office


@click.command(cls=Command)
@click.option("--from", "from_", required=True, metavar="DATE", help="From this date or instant on.")
@click.option("--to", required=True, metavar="DATE", help="Up to but without this date or instant.")
@click.option("--zone", metavar="ZONE", help="Where days begin: an IANA name; else the setting billing.zone.")
@click.option("--user", metavar="USER", help="Only this user's: id, name or e-mail.")
@click.option("--format", "form", type=click.Choice(operations.FORMATS), help="csv, or jsonl with --json.")
@click.option("--granularity", type=click.Choice(get_args(Granularity)), help="An entry for each row, day or month.")
@click.option("--name", "names", multiple=True, metavar="ROLE=NAME", help="What your books call cash, revenue, …")
@click.option("--costs", is_flag=True, help="The providers' costs too, as an expense.")
@click.option("--opening", is_flag=True, help="Begin with the balances of before, for books that begin here.")
@click.option("--out", type=click.Path(path_type=Path), help="A file or folder, whole or not at all; else printed.")
@click.option("--force", is_flag=True, help="Overwrite files.")
@office
async def export(
    office: Office,
    from_: str,
    to: str,
    zone: str | None,
    user: str | None,
    form: str | None,
    granularity: Granularity | None,
    names: tuple[str, ...],
    costs: bool,
    opening: bool,
    out: Path | None,
    force: bool,
) -> None:
    """Every request of a period, or all that moved money, by when it was posted, for accounting.

    Example: softix usage export --from 2026-10-01 --to 2026-11-01 --format hledger --out october.journal
    """
    form = form or ("jsonl" if invocation().as_json and out is None else "csv")
    where = parse_zone(zone or office.settings.billing.zone)
    span = parse_span(from_, to, where)
    wanted = operations.Wanted(form, span, user, granularity, names, costs, opening, where)
    exported = await operations.export(office.storage, wanted)
    files: list[str] = []
    with _target(form, out, force) as write, _progress(exported.expected_rows) as advance:
        rows = cost_pico = charge_pico = 0
        async for chunk in exported.chunks:
            if chunk.file and chunk.file not in files[-1:]:
                files.append(chunk.file)
            if chunk.text:
                write(chunk.file, chunk.text)
            advance(chunk.rows)
            rows += chunk.rows
            cost_pico += chunk.cost_pico
            charge_pico += chunk.charge_pico
    _tell(out, files if _in_folder(form, out) else [], rows, format_usd(cost_pico), format_usd(charge_pico))
    _warn_of_an_open_end(span, office.storage.reading().clock.now_us(), form, granularity)


def _tell(out: Path | None, files: list[str], rows: int, cost: str, charge: str) -> None:
    if out is not None and invocation().as_json:
        told = {"out": str(out), "rows": rows, "provider_cost": cost, "charge": charge, "currency": CURRENCY}
        show({**told, "files": files} if files else told)
    place = "" if out is None else f" → {out}" + (f": {', '.join(files)}" if files else "")
    say(f"{rows:,} rows, charged {charge} {CURRENCY}, provider cost {cost} {CURRENCY}{place}")


def _warn_of_an_open_end(span: Span, now_us: int, form: str, granularity: Granularity | None) -> None:
    if span.to_us > now_us and operations.sums_up(form, granularity):
        say("the period is not over: what is posted later changes its sums, so import it when it is")


def _in_folder(form: str, out: Path | None) -> bool:
    return out is not None and (operations.several_files(form) or out.is_dir())


@contextmanager
def _target(form: str, out: Path | None, overwrite: bool) -> Iterator[Write]:
    if out is None:
        if operations.several_files(form):
            raise BadInputError(f"{form} makes several files", "name a folder for them: --out DIR")
        stream = sys.stdout.buffer
        yield lambda name, text: _write(stream, text)
        stream.flush()
    elif _in_folder(form, out):
        if out.exists() and not out.is_dir():
            raise BadInputError(f"{out} is not a folder, and {form} makes several files", "name a folder: --out DIR")
        with whole_files(out, overwrite=overwrite) as write:
            yield write
    else:
        with whole_file(out, overwrite=overwrite) as file:
            yield lambda name, text: _write(file, text)


def _write(file: BinaryIO, text: bytes) -> None:
    file.write(text)


@contextmanager
def _progress(expected_rows: int) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal's standard error, unless the lines themselves go there."""
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

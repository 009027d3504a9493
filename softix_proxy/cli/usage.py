"""softix usage: what was used, and what it cost."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, get_args

import click

from softix_proxy import __version__
from softix_proxy.cli import usage_correct, usage_explain, usage_summary
from softix_proxy.cli.console import Group, invocation, office, say, show, show_all
from softix_proxy.domain.money import format_usd
from softix_proxy.domain.usage import CURRENCY, Subject, UsageRow
from softix_proxy.exports import html_summary
from softix_proxy.exports.columns import fields
from softix_proxy.exports.whole_file import whole_file
from softix_proxy.operations import usage as operations

if TYPE_CHECKING:
    from softix_proxy.assembly import Office

_LIST = (
    "posted_at",
    "request_id",
    "user_name",
    "model",
    "input_tokens",
    "output_tokens",
    "charge",
    "status_code",
    "error",
)
_POLL_S = 1
_FROM = click.option("--from", "from_", metavar="DATE", help="From this date or instant on (UTC).")
_TO = click.option("--to", metavar="DATE", help="Up to but without this date or instant (UTC).")


@click.group(cls=Group)
def usage() -> None:
    """See what was used and export it. Example: softix usage summary --by model"""


@usage.command("list")
@click.option("--user", metavar="USER", help="Only this user's: id, name or e-mail.")
@click.option("--key", metavar="KEY", help="Only this key's.")
@click.option("--model", metavar="MODEL", help="Only this model's: `model` or `provider/model`.")
@_FROM
@_TO
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most so many.")
@click.option("--errors", "errors_only", is_flag=True, help="Only requests that did not end well.")
@office
async def list_(office: Office, **wanted: Any) -> None:
    """List requests, the newest first. Example: softix usage list --user ada --errors"""
    show_all((fields(row) for row in await operations.newest(office.storage, **wanted)), _LIST)


@usage.command()
@click.option("--by", type=click.Choice(get_args(Subject)), default="user", show_default=True, help="Sums for each.")
@_FROM
@_TO
@click.option("--html", type=click.Path(path_type=Path), help="Write one page with all charts, to mail or to print.")
@click.option("--force", is_flag=True, help="Overwrite the file.")
@office
async def summary(
    office: Office, by: Subject, from_: str | None, to: str | None, html: Path | None, force: bool
) -> None:
    """Sums over days (UTC), this month's by default. Example: softix usage summary --by model --from 2026-10-01"""
    if html is None:
        usage_summary.show(await operations.summary(office.storage, by, from_, to))
        return
    page = await operations.page(office.storage, from_, to, __version__)
    with whole_file(html, overwrite=force) as file:
        for piece in html_summary.render(page):
            file.write(piece.encode())
    if invocation().as_json:
        show({"html": str(html)})
    say(f"By model, user and key: {html}")


@usage.command()
@click.option("-n", "--lines", "limit", type=click.IntRange(1), default=10, show_default=True, help="So many to start.")
@click.option("-f", "--follow", is_flag=True, help="Go on with what comes, until Ctrl-C.")
@office
async def tail(office: Office, limit: int, follow: bool) -> None:
    """Show the last requests; with --json an object a line. Example: softix usage tail --follow"""
    rows: Sequence[UsageRow] = list(reversed(await operations.newest(office.storage, limit=limit)))
    last = 0
    with suppress(asyncio.CancelledError):
        while True:
            for row in rows:
                click.echo(_line(row))
                last = row.id
            if not follow:
                return
            await asyncio.sleep(_POLL_S)
            rows = await operations.after(office.storage, last)


def _line(row: UsageRow) -> str:
    shown = fields(row)
    if invocation().as_json:
        return json.dumps(shown, ensure_ascii=False)
    tokens = f"{shown['input_tokens'] or 0}→{shown['output_tokens'] or 0}"
    return (
        f"{str(shown['posted_at'])[:19]}Z  {shown['request_id']}  {row.user_name:<12}  {row.model:<24}  {tokens:>13}"
        f"  ${shown['charge']:<14}  {row.status_code}  {row.latency_ms:>6} ms  {row.error or ''}"
    ).rstrip()


@usage.command()
@click.option("--from", "from_", required=True, metavar="DATE", help="From this date or instant on (UTC).")
@click.option("--to", required=True, metavar="DATE", help="Up to but without this date or instant (UTC).")
@click.option("--user", metavar="USER", help="Only this user's: id, name or e-mail.")
@click.option("--format", "form", type=click.Choice(get_args(operations.Format)), help="csv, or jsonl with --json.")
@click.option("--out", type=click.Path(path_type=Path), help="A file, whole or not at all; else standard output.")
@click.option("--force", is_flag=True, help="Overwrite the file.")
@office
async def export(
    office: Office,
    from_: str,
    to: str,
    user: str | None,
    form: operations.Format | None,
    out: Path | None,
    force: bool,
) -> None:
    """Every request of a period, by when it was posted, for accounting.

    Example: softix usage export --from 2026-10-01 --to 2026-11-01 --out october.csv
    """
    default: operations.Format = "jsonl" if invocation().as_json and out is None else "csv"
    layout = operations.FORMATS[form or default]
    exported = await operations.export(office.storage, layout, operations.parse_span(from_, to), user)
    with _target(out, force) as file, _progress(exported.expected_rows) as advance:
        rows = cost_pico = charge_pico = 0
        async for chunk in exported.chunks:
            file.write(chunk.text)
            advance(chunk.rows)
            rows += chunk.rows
            cost_pico += chunk.cost_pico
            charge_pico += chunk.charge_pico
    cost, charge = format_usd(cost_pico), format_usd(charge_pico)
    if out is not None and invocation().as_json:
        show({"out": str(out), "rows": rows, "provider_cost": cost, "charge": charge, "currency": CURRENCY})
    say(f"{rows:,} rows, charged {charge} {CURRENCY}, provider cost {cost} {CURRENCY}" + (f" → {out}" if out else ""))


@contextmanager
def _target(out: Path | None, overwrite: bool) -> Iterator[BinaryIO]:
    if out is not None:
        with whole_file(out, overwrite=overwrite) as file:
            yield file
        return
    stream = sys.stdout.buffer
    yield stream
    stream.flush()


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


for _command in (*usage_explain.COMMANDS, *usage_correct.COMMANDS):
    usage.add_command(_command)

"""The commands of `softix usage`, which show usage and its cost."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from softix_proxy import __version__
from softix_proxy.cli.console.console import COUNT, Group, echo, instance, invocation, say, show, show_all
from softix_proxy.cli.console.spans import span_options, zone_of
from softix_proxy.cli.console.tables import TableLayout
from softix_proxy.cli.ledger import corrections
from softix_proxy.cli.metering import usage_attempts, usage_explain, usage_summary
from softix_proxy.cli.metering.usage_filters import filter_options
from softix_proxy.cli.reporting import usage_export
from softix_proxy.domain.core.display import as_json, visible
from softix_proxy.domain.metering.usage import SummarySubject, UsageRow
from softix_proxy.exports.metering import html_summary
from softix_proxy.exports.metering.columns import fields
from softix_proxy.exports.reporting.whole_file import whole_file
from softix_proxy.operations.metering import usage as operations

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance

_LIST = TableLayout(
    (
        "posted_at",
        "request_id",
        "user_name",
        "model",
        "input_tokens",
        "output_tokens",
        "charge",
        "status_code",
        "error",
    ),
    leave=("input_tokens", "output_tokens", "error", "posted_at", "status_code", "user_name"),
)
_POLL_S = 1


def complete_subject(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    known = (*get_args(SummarySubject), operations.END_USER, operations.TAG_OF)
    return [name for name in known if name.startswith(incomplete)]


@click.group(cls=Group)
def usage() -> None:
    """List, explain, correct and export usage. Example: softix usage summary --by model"""


@usage.command("list")
@filter_options
@span_options()
@click.option("--limit", type=COUNT, default=50, show_default=True, help="The most to list.")
@instance
async def list_(instance: Instance, zone: str | None, **wanted: Any) -> None:
    """List requests, the newest first. Example: softix usage list --user ada --errors"""
    rows = await operations.newest(instance.storage, zone=zone_of(instance, zone), **wanted)
    show_all((fields(row) for row in rows), _LIST)


@usage.command()
@click.option(
    "--by",
    metavar="SUBJECT",
    shell_complete=complete_subject,
    default="user",
    show_default=True,
    help="Sum up for each user, key, model, provider, day or end-user, or for each value of a tag: tag:team.",
)
@span_options()
@click.option("--html", type=click.Path(path_type=Path), help="Write a page with all charts, to mail or to print.")
@click.option("--force", is_flag=True, help="Overwrite the file.")
@instance
async def summary(
    instance: Instance,
    by: str,
    from_: str | None,
    to: str | None,
    zone: str | None,
    html: Path | None,
    force: bool,
) -> None:
    """Sum up usage over whole days, by default of this month.

    Example: softix usage summary --by model --from 2026-10-01
    """
    zone = zone_of(instance, zone)
    if html is None:
        usage_summary.show(await operations.summary(instance.storage, by, from_, to, zone))
        return
    page = await operations.page(instance.storage, from_, to, __version__, zone)
    with whole_file(html, overwrite=force) as file:
        for piece in html_summary.render(page):
            file.write(piece.encode())
    if invocation().as_json:
        show({"html": str(html)})
    say(f"By model, user and key: {html}")


@usage.command()
@click.option(
    "-n", "--lines", "limit", type=COUNT, default=10, show_default=True, help="The number of requests to start with."
)
@click.option("-f", "--follow", is_flag=True, help="Continue with new requests until Ctrl-C.")
@filter_options
@instance
async def tail(instance: Instance, limit: int, follow: bool, **wanted: Any) -> None:
    """Show the last requests, or those of a user, a key, a model, a status or only failed ones.

    With --json, each line is an object. Example: softix usage tail --follow --user ada --status 5xx
    """
    end = operations.UsageTail(instance.storage, await operations.filter_of(instance.storage.reading(), **wanted))
    rows = await end.begin(limit)
    with suppress(asyncio.CancelledError):
        while True:
            for row in rows:
                echo(_line(row))
            if not follow:
                return
            await asyncio.sleep(_POLL_S)
            rows = await end.added()


def _line(row: UsageRow) -> str:
    shown = fields(row)
    if invocation().as_json:
        return as_json(shown)
    tokens = f"{shown['input_tokens'] or 0}→{shown['output_tokens'] or 0}"
    return visible(
        f"{str(shown['posted_at'])[:19]}Z  {shown['request_id']}  {row.user_name:<12}  {row.model:<24}  {tokens:>13}"
        f"  ${shown['charge']:<14}  {row.status_code}  {row.latency_ms:>6} ms  {row.error or ''}".rstrip()
    )


for _command in (
    *usage_explain.COMMANDS,
    *usage_attempts.COMMANDS,
    *corrections.COMMANDS,
    usage_export.export,
):
    usage.add_command(_command)

"""The command `softix payments export`, which makes a journal of a payment provider's fees and payouts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from softix_proxy.cli.console.console import Command, instance, invocation, say, show, write_file
from softix_proxy.cli.reporting.report_files import day_text, opened
from softix_proxy.domain.core.money import CURRENCY, format_usd
from softix_proxy.domain.reporting.payment_reconciliation import BalanceReportLine
from softix_proxy.exports.reporting.whole_file import whole_file
from softix_proxy.imports import stripe_balance
from softix_proxy.operations.reporting import payment_journal as operations

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance


@click.command(cls=Command)
@click.argument("reports", metavar="REPORT...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--format", "form", required=True, type=click.Choice(operations.FORMATS), help="The format.")
@click.option(
    "--name",
    "names",
    multiple=True,
    metavar="ROLE=NAME",
    help="The name that your books have for cash, fees or the bank.",
)
@click.option("--opens", is_flag=True, help="Open the accounts of fees and the bank too: for the first of a beancount.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write, completely or not at all.  [default: standard output]",
)
@click.option("--force", is_flag=True, help="Overwrite the file.")
@instance
async def export(
    instance: Instance,
    reports: tuple[Path, ...],
    form: str,
    names: tuple[str, ...],
    opens: bool,
    out: Path | None,
    force: bool,
) -> None:
    """Export Stripe's fees and payouts for accounting, from Stripe's own reports of activity and payouts.

    The days are those of UTC. Export whole days, each of them once.
    Example: softix payments export activity.csv payouts.csv --format hledger --out stripe.journal
    """
    made = await operations.journal(instance.storage, _lines(reports), form, names, opens=opens)
    text = b"".join(piece.text for piece in made.pieces)
    if out is None:
        write_file(text)
    else:
        with whole_file(out, overwrite=force) as file:
            file.write(text)
    fields = {
        "from": day_text(made.first_day),
        "to": day_text(made.end_day),
        "fees": format_usd(made.fees_pico),
        "payouts": format_usd(made.payouts_pico),
        "currency": CURRENCY,
        "left_out": {category: format_usd(pico) for category, pico in sorted(made.left_out.items())},
    }
    if out is not None and invocation().as_json:
        show({"out": str(out), **fields})
    say(f"fees {fields['fees']} {CURRENCY}, payouts {fields['payouts']} {CURRENCY}" + (f" → {out}" if out else ""))
    for category, pico in sorted(made.left_out.items()):
        say(f"left out: lines of {category}, which moved {format_usd(pico)} {CURRENCY}")


def _lines(reports: tuple[Path, ...]) -> Iterator[BalanceReportLine]:
    for report in reports:
        with opened(report) as file:
            yield from stripe_balance.read(file, report.name, payouts=True)

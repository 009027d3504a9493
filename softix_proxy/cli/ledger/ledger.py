"""The commands of `softix ledger`, which prove that the books are right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from softix_proxy.cli.console.console import Group, confirm, instance, invocation, say, show, show_all
from softix_proxy.cli.console.spans import span_options, zone_of
from softix_proxy.cli.console.tables import TableLayout
from softix_proxy.domain.core.clock import format_instant, parse_duration_us
from softix_proxy.domain.core.ids import format_request_id
from softix_proxy.domain.core.money import format_usd
from softix_proxy.domain.ledger.redating import RedatedPosting
from softix_proxy.operations.ledger import ledger as operations
from softix_proxy.operations.ledger import redating
from softix_proxy.operations.metering.usage import parse_span

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance

_FINDINGS = TableLayout(("rule", "subject", "detail"), prose=("detail",))
_ACCOUNTS = TableLayout(("account", "balance"))
_REMEDY = "stop softix serve, keep a copy of the database, and restore the last backup that verifies"


@click.group(cls=Group)
def ledger() -> None:
    """Show and verify the ledger. Every posting is a transfer between two accounts.

    Example: softix ledger verify
    """


@ledger.command()
@instance
async def verify(instance: Instance) -> None:
    """Prove that entries, balances, holds, charges, usage and closed periods agree.

    The exit code is 1 if they do not. You can run it while softix serves. Example: softix ledger verify --json
    """
    verdict = await operations.verify(instance.storage)
    findings = [
        {"rule": found.rule, "subject": found.subject, "detail": found.detail, "remedy": _REMEDY}
        for found in verdict.violations
    ]
    if findings and not invocation().as_json:
        show_all(findings, _FINDINGS)
        say(f"  → {_REMEDY}")
    else:
        show(
            {
                "ok": not findings,
                "transfers": verdict.transfers,
                "usage_rows": verdict.usage_rows,
                "open_holds": verdict.open_holds,
                "periods": verdict.periods,
                "findings": findings,
            },
            "The books are right.",
        )
    if findings:
        raise SystemExit(1)


@ledger.command()
@span_options()
@click.option(
    "--ahead", metavar="TIME", help="How far the clock was ahead: 365d, 2h. Without it, amounts are booked as of now."
)
@click.option(
    "--note", default="the clock was wrong", show_default=True, metavar="TEXT", help="The note on the new rows."
)
@click.option("--dry-run", is_flag=True, help="Show what would be booked, and post nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@instance
async def redate(
    instance: Instance,
    from_: str | None,
    to: str | None,
    zone: str | None,
    ahead: str | None,
    note: str,
    dry_run: bool,
    yes: bool,
) -> None:
    """Move amounts that a wrong clock posted to the right date.

    Without --from and --to, these are the amounts that are dated in the future. Each one is taken back on the wrong
    day and booked on the right day, by new rows. Balances and closed periods do not change. If you run it again after a
    failure, it continues where it stopped. Example: softix ledger redate --ahead 365d --yes
    """
    span = parse_span(from_, to, zone_of(instance, zone)) if from_ or to else None
    ahead_us = None if ahead is None else parse_duration_us(ahead)
    if not dry_run:
        confirm("Book what is dated wrongly where it belongs?", yes)
    found = [one async for one in redating.run(instance.storage, span, ahead_us, note=note, dry=dry_run)]
    rows = [_redated_fields(one) for one in found]
    kept = sum(one.booked_us is None for one in found)
    if invocation().as_json:
        show({"posted": not dry_run, "rows": rows, "booked": len(rows) - kept, "in_closed_periods": kept})
        return
    show_all(rows, _REDATED)
    say(f"{'Would be booked' if dry_run else 'Booked'}: {len(rows) - kept}." + (_KEPT.format(kept) if kept else ""))


_REDATED = TableLayout(
    ("kind", "user_name", "posted_at", "amount", "provider_cost", "booked_at"),
    leave=("provider_cost", "kind", "user_name"),
)
_KEPT = " In closed periods, where they stay: {}."


def _redated_fields(one: RedatedPosting) -> dict[str, Any]:
    what = one.misdated
    return {
        "kind": what.kind,
        "row_id": what.number,
        "request_id": None if what.request_id is None else format_request_id(what.request_id),
        "reference": what.reference,
        "user_name": what.user_name,
        "posted_at": format_instant(what.posted_us),
        "amount": format_usd(what.amount_pico),
        "provider_cost": format_usd(what.cost_pico),
        "booked_at": format_instant(one.booked_us),
    }


@ledger.command()
@instance
async def accounts(instance: Instance) -> None:
    """Show the balance of each account. They add up to zero. Example: softix ledger accounts"""
    rows = [
        {"account": account.name, "balance": format_usd(account.balance_pico)}
        for account in await operations.accounts(instance.storage)
    ]
    show_all(rows, _ACCOUNTS)

"""softix ledger: prove that the books are right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from softix_proxy.cli.console import Group, invocation, office, say, show, show_all
from softix_proxy.cli.tables import Table
from softix_proxy.domain.money import format_usd
from softix_proxy.operations import ledger as operations

if TYPE_CHECKING:
    from softix_proxy.assembly import Office

_FINDINGS = Table(("rule", "subject", "detail"), prose=("detail",))
_ACCOUNTS = Table(("account", "balance"))
_REMEDY = "stop softix serve, keep a copy of the database, and restore the last backup that verifies"


@click.group(cls=Group)
def ledger() -> None:
    """The books: every posting is a transfer between two accounts. Example: softix ledger verify"""


@ledger.command()
@office
async def verify(office: Office) -> None:
    """Prove that entries, balances, holds, charges, usage and closed periods agree; exit 1 where they do not.

    Works while softix serves. Example: softix ledger verify --json
    """
    verdict = await operations.verify(office.storage)
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
@office
async def accounts(office: Office) -> None:
    """Each account's balance; together they are zero. Example: softix ledger accounts"""
    rows = [
        {"account": account.name, "balance": format_usd(account.balance_pico)}
        for account in await operations.accounts(office.storage)
    ]
    show_all(rows, _ACCOUNTS)

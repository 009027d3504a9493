"""softix balance: prepaid money."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from softix_proxy.cli.console import Group, dry_run_option, office, rehearsed, say, show, show_all, stage
from softix_proxy.cli.tables import TableLayout
from softix_proxy.domain.balance import Wallet
from softix_proxy.domain.clock import format_instant
from softix_proxy.domain.money import format_usd, parse_usd
from softix_proxy.domain.usage import CURRENCY
from softix_proxy.operations import balance as operations
from softix_proxy.operations import users

if TYPE_CHECKING:
    from softix_proxy.assembly import Office

_POSTINGS = TableLayout(
    ("posted_at", "kind", "amount", "balance", "reference", "note"), leave=("reference", "posted_at"), prose=("note",)
)
_NEGATIVES = {"ignore_unknown_options": True}
"""So that -5 is an amount, which the operation may take or refuse, and not an option."""
_NOTE = click.option("--note", help="Why; kept with the posting.")


async def _fields(office: Office, user: str, wallet: Wallet | None = None) -> dict[str, Any]:
    owner = await users.show(office.storage, user)
    held = wallet or await operations.show(office.storage, user)
    return {
        "user_id": owner.public_id,
        "balance": format_usd(held.posted_pico),
        "held": format_usd(held.held_pico),
        "available": format_usd(held.available_pico),
        "credit_limit": format_usd(held.credit_pico),
        "currency": CURRENCY,
    }


async def _after(office: Office, user: str, posted_pico: int, dry_run: bool) -> Wallet:
    """As it is once that much was posted; what was only rehearsed is not in it yet."""
    wallet = await operations.show(office.storage, user)
    return replace(wallet, posted_pico=wallet.posted_pico + posted_pico) if dry_run else wallet


@click.group(cls=Group)
def balance() -> None:
    """Prepaid balances, in US dollars. Example: softix balance add ada 25.00"""


@balance.command("show")
@click.argument("user")
@office
async def show_(office: Office, user: str) -> None:
    """What a user has, and what is held for running requests. Example: softix balance show ada"""
    show(await _fields(office, user))


@balance.command(context_settings=_NEGATIVES)
@click.argument("user")
@click.argument("amount")
@_NOTE
@click.option("--reference", help="Of the payment; a second posting with the same one changes nothing.")
@dry_run_option
@office
async def add(office: Office, user: str, amount: str, note: str | None, reference: str | None, dry_run: bool) -> None:
    """Money came in. Example: softix balance add ada 25.00 --note 'invoice 17' --reference pay-17"""
    amount_pico = parse_usd(amount)
    added = await operations.add(stage(office, dry_run), user, amount_pico, note=note, reference=reference)
    if not added:
        say("This reference was posted before; nothing was changed.")
    shown = await _fields(office, user, await _after(office, user, amount_pico if added else 0, dry_run))
    show(rehearsed({**shown, "added": added}, dry_run))


@balance.command("set", context_settings=_NEGATIVES)
@click.argument("user")
@click.argument("amount")
@_NOTE
@dry_run_option
@office
async def set_(office: Office, user: str, amount: str, note: str | None, dry_run: bool) -> None:
    """Posts the difference as an adjustment. Example: softix balance set ada 25.00 --note 'goodwill'"""
    difference_pico = await operations.set_to(stage(office, dry_run), user, parse_usd(amount), note=note)
    shown = await _fields(office, user, await _after(office, user, difference_pico, dry_run))
    show(rehearsed({**shown, "difference": format_usd(difference_pico)}, dry_run))


@balance.command()
@click.argument("user")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=50, show_default=True, help="How many postings.")
@office
async def history(office: Office, user: str, limit: int) -> None:
    """The postings of a user's wallet, the newest first. Example: softix balance history ada --limit 10"""
    rows = [
        {
            "id": entry.id,
            "posted_at": format_instant(entry.id),
            "kind": entry.kind,
            "amount": format_usd(entry.amount_pico),
            "balance": format_usd(entry.balance_pico),
            "reference": entry.reference,
            "note": entry.note,
        }
        for entry in await operations.history(office.storage, user, limit)
    ]
    show_all(rows, _POSTINGS)


@balance.command("credit-limit", context_settings=_NEGATIVES)
@click.argument("user")
@click.argument("amount")
@dry_run_option
@office
async def credit_limit(office: Office, user: str, amount: str, dry_run: bool) -> None:
    """How far the balance may go below zero. Example: softix balance credit-limit ada 10.00"""
    wallet = await operations.set_credit_limit(stage(office, dry_run), user, parse_usd(amount))
    show(rehearsed(await _fields(office, user, wallet), dry_run))

"""The commands of `softix balance` for prepaid money."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from softix_proxy.cli.console.console import Group, dry_run_option, instance, rehearsed, say, show, show_all, stage
from softix_proxy.cli.console.tables import TableLayout
from softix_proxy.domain.core.clock import format_instant
from softix_proxy.domain.core.money import CURRENCY, format_usd, parse_usd
from softix_proxy.domain.ledger.balance import Wallet
from softix_proxy.operations.access import users
from softix_proxy.operations.ledger import balance as operations

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance

_POSTINGS = TableLayout(
    ("posted_at", "kind", "amount", "balance", "reference", "note"), leave=("reference", "posted_at"), prose=("note",)
)
_NEGATIVES = {"ignore_unknown_options": True}
"""Lets -5 be an amount and not an option. The operation accepts or refuses it."""
_NOTE = click.option("--note", help="The reason. It is stored with the posting.")


async def _fields(instance: Instance, user: str, wallet: Wallet | None = None) -> dict[str, Any]:
    owner = await users.show(instance.storage, user)
    held = wallet or await operations.show(instance.storage, user)
    return {
        "user_id": owner.public_id,
        "balance": format_usd(held.posted_pico),
        "held": format_usd(held.held_pico),
        "available": format_usd(held.available_pico),
        "credit_limit": format_usd(held.credit_pico),
        "currency": CURRENCY,
    }


async def _after(instance: Instance, user: str, posted_pico: int, dry_run: bool) -> Wallet:
    """Returns the wallet as it is after this posting. A rehearsed posting is not stored, so it is added here."""
    wallet = await operations.show(instance.storage, user)
    return replace(wallet, posted_pico=wallet.posted_pico + posted_pico) if dry_run else wallet


@click.group(cls=Group)
def balance() -> None:
    """Show and change prepaid balances, in US dollars. Example: softix balance add ada@example.org 25.00"""


@balance.command("show")
@click.argument("user")
@instance
async def show_(instance: Instance, user: str) -> None:
    """Show a user's balance, and what is held for running requests. Example: softix balance show ada"""
    show(await _fields(instance, user))


@balance.command(context_settings=_NEGATIVES)
@click.argument("user")
@click.argument("amount")
@_NOTE
@click.option("--reference", help="The reference of the payment. A second posting with the same one changes nothing.")
@dry_run_option
@instance
async def add(
    instance: Instance, user: str, amount: str, note: str | None, reference: str | None, dry_run: bool
) -> None:
    """Add money that was paid in to a user's balance.

    Example: softix balance add ada@example.org 25.00 --note 'invoice 17' --reference pay-17
    """
    amount_pico = parse_usd(amount)
    added = await operations.add(stage(instance, dry_run), user, amount_pico, note=note, reference=reference)
    if not added:
        say("This reference was posted before; nothing was changed.")
    shown = await _fields(instance, user, await _after(instance, user, amount_pico if added else 0, dry_run))
    show(rehearsed({**shown, "added": added}, dry_run))


@balance.command("set", context_settings=_NEGATIVES)
@click.argument("user")
@click.argument("amount")
@_NOTE
@dry_run_option
@instance
async def set_(instance: Instance, user: str, amount: str, note: str | None, dry_run: bool) -> None:
    """Set a balance to an amount. The difference is posted as an adjustment.

    Example: softix balance set ada@example.org 25.00 --note 'goodwill'
    """
    difference_pico = await operations.set_to(stage(instance, dry_run), user, parse_usd(amount), note=note)
    shown = await _fields(instance, user, await _after(instance, user, difference_pico, dry_run))
    show(rehearsed({**shown, "difference": format_usd(difference_pico)}, dry_run))


@balance.command(context_settings=_NEGATIVES)
@click.argument("user")
@click.argument("amount")
@click.option("--note", required=True, help="The reason. It is stored with the posting.")
@click.option("--reference", help="The reference of the posting. A second posting with the same one changes nothing.")
@dry_run_option
@instance
async def adjust(instance: Instance, user: str, amount: str, note: str, reference: str | None, dry_run: bool) -> None:
    """Change a balance by a difference, up or down. It is posted as an adjustment.

    Example: softix balance adjust ada@example.org 5.00 --note 'goodwill' --reference adj-17
    """
    difference_pico = parse_usd(amount)
    done = await operations.adjust(stage(instance, dry_run), user, difference_pico, note=note, reference=reference)
    if not done:
        say("This reference was posted before; nothing was changed.")
    shown = await _fields(instance, user, await _after(instance, user, difference_pico if done else 0, dry_run))
    show(rehearsed({**shown, "difference": format_usd(difference_pico if done else 0)}, dry_run))


@balance.command()
@click.argument("user")
@click.option(
    "--limit", type=click.IntRange(1, 1_000_000), default=50, show_default=True, help="The number of postings to list."
)
@instance
async def history(instance: Instance, user: str, limit: int) -> None:
    """List the postings of a user's wallet, the newest first. Example: softix balance history ada --limit 10"""
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
        for entry in await operations.history(instance.storage, user, limit)
    ]
    show_all(rows, _POSTINGS)


@balance.command("credit-limit", context_settings=_NEGATIVES)
@click.argument("user")
@click.argument("amount")
@dry_run_option
@instance
async def credit_limit(instance: Instance, user: str, amount: str, dry_run: bool) -> None:
    """Set how far a balance may go below zero. Example: softix balance credit-limit ada@example.org 10.00"""
    wallet = await operations.set_credit_limit(stage(instance, dry_run), user, parse_usd(amount))
    show(rehearsed(await _fields(instance, user, wallet), dry_run))

"""softix batches: what providers work on for hours, and what is held for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from softix_proxy.cli.console import Group, confirm, office, show, show_all
from softix_proxy.cli.tables import TableLayout
from softix_proxy.domain.batches import BatchSummary
from softix_proxy.domain.clock import format_instant
from softix_proxy.domain.ids import format_request_id
from softix_proxy.domain.money import format_usd
from softix_proxy.operations import batches as operations

if TYPE_CHECKING:
    from softix_proxy.assembly import Office

_COLUMNS = TableLayout(
    ("batch", "provider", "user", "requests", "open_requests", "held", "created_at", "metered_at"),
    leave=("metered_at", "created_at", "requests", "provider", "user"),
)


def as_fields(summary: BatchSummary) -> dict[str, Any]:
    batch = summary.batch
    return {
        "id": format_request_id(batch.id),
        "batch": batch.remote_id,
        "provider": summary.provider,
        "user": summary.user,
        "requests": batch.requests,
        "open_requests": summary.open_requests,
        "held": format_usd(summary.held_pico),
        "currency": "USD",
        "created_at": format_instant(batch.created_at_us),
        "metered_at": None if batch.metered_at_us is None else format_instant(batch.metered_at_us),
    }


@click.group(cls=Group)
def batches() -> None:
    """Batches that providers work on, and what is held for them. Example: softix batches list"""


@batches.command("list")
@click.option("--all", "metered_too", is_flag=True, help="Those that are metered, too.")
@office
async def list_(office: Office, metered_too: bool) -> None:
    """List batches whose results are not metered yet, the newest first. Example: softix batches list --all"""
    found = await operations.list_all(office.storage, metered_too=metered_too)
    show_all([as_fields(summary) for summary in found], _COLUMNS)


@batches.command()
@click.argument("batch", metavar="BATCH")
@click.option("--yes", is_flag=True, help="Do not ask.")
@office
async def settle(office: Office, batch: str, yes: bool) -> None:
    """Give up waiting for a batch: what is held for it is released, once and for all.

    For one of which the provider will tell nothing more, as when its account is closed. Each request that is not
    metered yet gets its row as interrupted, and costs what the setting money.interrupted_charge says. BATCH is its name
    at the provider, or its id. Works while softix serves. Example: softix batches settle batch_68f1
    """
    found = await operations.find(office.storage, batch)
    held = format_usd(found.held_pico)
    confirm(f"Settle {found.open_requests} requests of {found.user}, which hold ${held}?", yes)
    async with office.journal() as journal:
        settled = await operations.settle(
            office.storage, journal, found.batch, office.settings.money.interrupted_charge
        )
    show(
        {
            "id": format_request_id(found.batch.id),
            "batch": found.batch.remote_id,
            "requests": len(settled),
            "released": format_usd(sum(each.hold_pico for each in settled)),
            "charged": format_usd(sum(each.charge_pico for each in settled)),
            "currency": "USD",
        },
        "Settled.",
    )

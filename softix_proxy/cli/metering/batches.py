"""The commands of `softix batches`, which show batches at providers and the amounts that are held for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from softix_proxy.cli.console.console import Group, confirm, instance, show, show_all
from softix_proxy.cli.console.tables import TableLayout
from softix_proxy.domain.core.clock import format_instant
from softix_proxy.domain.core.ids import format_request_id
from softix_proxy.domain.core.money import format_usd
from softix_proxy.domain.metering.batches import BatchSummary
from softix_proxy.operations.metering import batches as operations

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance

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
    """List batches that providers work on, and settle them. Example: softix batches list"""


@batches.command("list")
@click.option("--all", "metered_too", is_flag=True, help="List metered batches too.")
@instance
async def list_(instance: Instance, metered_too: bool) -> None:
    """List batches whose results are not metered yet, the newest first. Example: softix batches list --all"""
    found = await operations.list_all(instance.storage, metered_too=metered_too)
    show_all([as_fields(summary) for summary in found], _COLUMNS)


@batches.command()
@click.argument("batch", metavar="BATCH")
@click.option("--yes", is_flag=True, help="Do not ask.")
@instance
async def settle(instance: Instance, batch: str, yes: bool) -> None:
    """Stop waiting for a batch, and release for good what is held for it.

    Use it if the provider will report nothing more of the batch, for example because its account is closed. Each
    request that is not metered yet gets a row marked as interrupted. It costs what the setting
    money.interrupted_charge says. BATCH is the batch's name at the provider, or its id. You can run this while softix
    serves. Example: softix batches settle batch_68f1
    """
    found = await operations.find(instance.storage, batch)
    held = format_usd(found.held_pico)
    confirm(f"Settle {found.open_requests} requests of {found.user}, which hold ${held}?", yes)
    async with instance.journal() as journal:
        settled = await operations.settle(
            instance.storage, journal, found.batch, instance.settings.money.interrupted_charge
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

"""softix batches: what providers work on for hours, and what is held for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from softix_proxy.cli.console import Group, office, show_all
from softix_proxy.domain.batches import BatchSummary
from softix_proxy.domain.clock import format_instant
from softix_proxy.domain.ids import format_request_id
from softix_proxy.domain.money import format_usd
from softix_proxy.operations import batches as operations

if TYPE_CHECKING:
    from softix_proxy.assembly import Office

_COLUMNS = ("batch", "provider", "user", "requests", "open_requests", "held", "created_at", "metered_at")


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

"""The command `softix usage attempts`, which lists the attempts that failed before the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from softix_proxy.cli.console.console import COUNT, Command, instance, show_all
from softix_proxy.cli.console.spans import span_options, zone_of
from softix_proxy.cli.console.tables import TableLayout
from softix_proxy.domain.core.clock import format_instant
from softix_proxy.domain.core.ids import format_request_id
from softix_proxy.domain.core.money import CURRENCY, format_usd
from softix_proxy.domain.metering.usage import AttemptRow
from softix_proxy.exports.metering.columns import format_factor
from softix_proxy.operations.metering import usage as operations

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance

_COLUMNS = TableLayout(
    ("posted_at", "request_id", "attempt", "provider", "model", "status_code", "error", "latency_ms", "charge"),
    leave=("latency_ms", "posted_at", "error", "provider", "status_code"),
)


def as_fields(row: AttemptRow) -> dict[str, Any]:
    """Converts one failed attempt to the fields that `--json` prints."""
    return {
        "row_id": row.usage_id,
        "posted_at": format_instant(row.usage_id),
        "request_id": format_request_id(row.request_id),
        "attempt": row.sequence,
        "user_id": row.user_public_id,
        "user_name": row.user_name,
        "provider": row.provider,
        "model": row.model,
        "status_code": row.status_code,
        "error": row.error,
        "latency_ms": row.latency_ms,
        "usage_source": row.source.value,
        "meters": dict(row.meters),
        "service_tier": row.service_tier,
        "price_version": row.price_id,
        "cost_price_version": row.price_id if row.cost_price_id is None else row.cost_price_id or None,
        "markup": format_factor(row.markup),
        "cost_bound": format_usd(row.bound_pico),
        "provider_cost": format_usd(row.cost_pico),
        "charge": format_usd(row.charge_pico),
        "currency": CURRENCY,
    }


@click.command(cls=Command)
@click.option("--user", metavar="USER", help="Only attempts for this user: id, name or e-mail.")
@span_options()
@click.option("--limit", type=COUNT, default=50, show_default=True, help="The most to list.")
@instance
async def attempts(instance: Instance, zone: str | None, **wanted: Any) -> None:
    """List failed attempts, the newest first. A request's own row shows its last attempt.

    Example: softix usage attempts --from 2026-10-01 --to 2026-11-01
    """
    rows = await operations.attempts(instance.storage, zone=zone_of(instance, zone), **wanted)
    show_all((as_fields(row) for row in rows), _COLUMNS)


COMMANDS = (attempts,)

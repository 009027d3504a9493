"""The commands of `softix period`, which close the books of a month and list closed periods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from softix_proxy.cli.console.console import Group, echo, instance, invocation, say, show, show_all
from softix_proxy.cli.console.tables import TableLayout
from softix_proxy.domain.core.clock import format_instant
from softix_proxy.domain.core.money import CURRENCY, format_usd
from softix_proxy.domain.core.spans import Span
from softix_proxy.domain.ledger.periods import ClosedPeriod, PeriodSum
from softix_proxy.operations.ledger import periods as operations

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance

_LIST = TableLayout(
    ("period", "zone", "from", "to", "rows", "charge", "provider_cost", "paid_in", "closed_at"),
    leave=("closed_at", "from", "to", "zone", "rows"),
)
_SUMS = TableLayout(
    ("user_id", "user_name", "rows", "charge", "provider_cost", "paid_in", "currency"),
    leave=("currency", "rows", "user_id"),
)


def as_fields(period: ClosedPeriod) -> dict[str, Any]:
    return {
        "period": period.label,
        "zone": period.zone,
        "from": format_instant(period.span.from_us),
        "to": format_instant(period.span.to_us),
        "closed_at": format_instant(period.closed_at_us),
        "rows": period.rows,
        **_amounts(period),
        "currency": CURRENCY,
        "rows_sha256": period.rows_sha256.hex(),
    }


def _amounts(sums: ClosedPeriod | PeriodSum) -> dict[str, str]:
    return {
        "provider_cost": format_usd(sums.cost_pico),
        "charge": format_usd(sums.charge_pico),
        "paid_in": format_usd(sums.paid_in_pico),
    }


def _sum_fields(one: PeriodSum) -> dict[str, Any]:
    return {
        "user_id": one.user_public_id,
        "user_name": one.user_name,
        "rows": one.rows,
        **_amounts(one),
        "currency": one.currency,
    }


@click.group(cls=Group)
def period() -> None:
    """Close months, and list closed ones. Example: softix period close 2026-10"""


@period.command()
@click.argument("label", metavar="PERIOD", required=False)
@click.option("--from", "from_", metavar="DATE", help="The start of the period, if PERIOD is a name of your own.")
@click.option("--to", metavar="DATE", help="The end of the period. It is not included.")
@click.option("--zone", metavar="ZONE", help="The time zone of its days: an IANA name.  [default: billing.zone]")
@instance
async def close(instance: Instance, label: str | None, from_: str | None, to: str | None, zone: str | None) -> None:
    """Close a period that is over. Nothing can be posted into it any more.

    PERIOD is for example 2026-10, 2026-Q4, 2026 or 2026-10-31, or any name with --from and --to. softix stores the sums
    of each user and a hash of the rows, and from then on softix ledger verify proves them. A request that still runs is
    posted later, in the open period. A correction is a row in the open period. You can run this while softix serves.
    Example: softix period close 2026-10 --zone Europe/Berlin
    """
    closing = operations.asked(label, from_, to, zone or instance.settings.billing.zone)
    closed = await operations.close(instance.storage, closing)
    gaps = await operations.uncovered(instance.storage)
    show({**as_fields(closed), "gaps": _gap_fields(gaps)} if invocation().as_json else as_fields(closed), "Closed.")
    _tell(gaps)


@period.command("list")
@instance
async def list_(instance: Instance) -> None:
    """List closed periods, the earliest first, and the gaps between them. Example: softix period list"""
    show_all([as_fields(one) for one in await operations.list_all(instance.storage)], _LIST)
    _tell(await operations.uncovered(instance.storage))


@period.command("show")
@click.argument("label", metavar="PERIOD")
@instance
async def show_(instance: Instance, label: str) -> None:
    """Show a closed period, with the sums of each user. Example: softix period show 2026-10"""
    found = await operations.find(instance.storage.reading(), label)
    sums = [_sum_fields(one) for one in found.sums]
    if invocation().as_json:
        show({**as_fields(found), "sums": sums})
        return
    show(as_fields(found))
    echo()
    show_all(sums, _SUMS)


def _gap_fields(gaps: Sequence[Span]) -> list[dict[str, str | None]]:
    return [{"from": format_instant(gap.from_us), "to": format_instant(gap.to_us)} for gap in gaps]


def _tell(gaps: Sequence[Span]) -> None:
    for gap in gaps:
        say(f"In no closed period: {format_instant(gap.from_us)} to {format_instant(gap.to_us)}")

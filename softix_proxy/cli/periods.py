"""softix period: close the books of a month, and see what is closed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from softix_proxy.cli.console import Group, invocation, office, say, show, show_all
from softix_proxy.cli.tables import TableLayout
from softix_proxy.domain.clock import format_instant
from softix_proxy.domain.money import format_usd
from softix_proxy.domain.periods import ClosedPeriod, PeriodSum
from softix_proxy.domain.usage import CURRENCY, Span
from softix_proxy.operations import periods as operations

if TYPE_CHECKING:
    from softix_proxy.assembly import Office

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
    """Close a month: nothing can be posted into it any more. Example: softix period close 2026-10"""


@period.command()
@click.argument("label", metavar="PERIOD", required=False)
@click.option("--from", "from_", metavar="DATE", help="From this date or instant on; with a name of your own.")
@click.option("--to", metavar="DATE", help="Up to but without this date or instant.")
@click.option("--zone", metavar="ZONE", help="Where its days begin: an IANA name; else the setting billing.zone.")
@office
async def close(office: Office, label: str | None, from_: str | None, to: str | None, zone: str | None) -> None:
    """Freeze a period that is over: 2026-10, 2026-Q4, 2026 or 2026-10-31, or any with --from and --to.

    It keeps the sums of each user and a hash of its rows, which softix ledger verify proves from then on. What still
    runs is posted later, and so in the open period; corrections are rows of their own there. Works while softix serves.
    Example: softix period close 2026-10 --zone Europe/Berlin
    """
    closing = operations.asked(label, from_, to, zone or office.settings.billing.zone)
    closed = await operations.close(office.storage, closing)
    gaps = await operations.uncovered(office.storage)
    show({**as_fields(closed), "gaps": _gap_fields(gaps)} if invocation().as_json else as_fields(closed), "Closed.")
    _tell(gaps)


@period.command("list")
@office
async def list_(office: Office) -> None:
    """List what is closed, the earliest first, and what lies between. Example: softix period list"""
    show_all([as_fields(one) for one in await operations.list_all(office.storage)], _LIST)
    _tell(await operations.uncovered(office.storage))


@period.command("show")
@click.argument("label", metavar="PERIOD")
@office
async def show_(office: Office, label: str) -> None:
    """Show a closed period, with the sums of each user. Example: softix period show 2026-10"""
    found = await operations.find(office.storage.reading(), label)
    sums = [_sum_fields(one) for one in found.sums]
    if invocation().as_json:
        show({**as_fields(found), "sums": sums})
        return
    show(as_fields(found))
    click.echo()
    show_all(sums, _SUMS)


def _gap_fields(gaps: Sequence[Span]) -> list[dict[str, str | None]]:
    return [{"from": format_instant(gap.from_us), "to": format_instant(gap.to_us)} for gap in gaps]


def _tell(gaps: Sequence[Span]) -> None:
    for gap in gaps:
        say(f"In no closed period: {format_instant(gap.from_us)} to {format_instant(gap.to_us)}")

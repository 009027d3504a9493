"""The commands of `softix bounds`, which show requests that cost more than was held for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from softix_proxy.cli.console.console import Group, dry_run_option, instance, rehearsed, show, show_all, stage
from softix_proxy.cli.console.tables import TableLayout
from softix_proxy.domain.core.clock import format_instant
from softix_proxy.domain.core.ids import format_request_id
from softix_proxy.domain.core.money import format_usd
from softix_proxy.domain.metering.bounds import FACTOR_ONE
from softix_proxy.operations.metering import bounds as operations
from softix_proxy.operations.metering.bounds import NamedBound

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance

_COLUMNS = TableLayout(
    ("model", "provider", "member", "times", "missing", "uncharged", "added", "factor", "last_at", "last_request_id"),
    leave=("last_at", "factor", "missing", "last_request_id", "provider"),
)


def as_fields(named: NamedBound) -> dict[str, Any]:
    bound, widening = named.bound, named.bound.widening
    return {
        "model": named.model,
        "provider": named.provider,
        "member": bound.member or None,
        "widened": bound.is_wider,
        "times": bound.times,
        "missing": format_usd(bound.missing_pico),
        "uncharged": format_usd(bound.uncharged_pico),
        "added": format_usd(widening.excess_pico),
        "factor": f"{widening.factor_permille // FACTOR_ONE}.{widening.factor_permille % FACTOR_ONE:03d}",
        "dearest": format_usd(widening.dearest_pico),
        "currency": "USD",
        "first_at": format_instant(bound.first_at_us),
        "last_at": format_instant(bound.last_at_us),
        "last_request_id": format_request_id(bound.last_request_id),
    }


@click.group(cls=Group)
def bounds() -> None:
    """Show requests that cost more than was held for them. Example: softix bounds list"""


@bounds.command("list")
@click.option("--all", "every", is_flag=True, help="List bounds that were reset too.")
@instance
async def list_(instance: Instance, every: bool) -> None:
    """List the models whose requests cost more than was held for them, the latest first.

    A hold is an upper bound of what a request costs. If a request costs more, its price is charged as far as the
    balance reaches, and later requests are held for more. MISSING is what the holds lacked in all, and UNCHARGED the
    part of it that no balance could pay. MEMBER is the part of requests for which more is held; without one, more is
    held for every request of the model. ADDED and FACTOR say how much more. Example: softix bounds list --all
    """
    found = await operations.list_all(instance.storage, only_wider=not every)
    show_all([as_fields(named) for named in found], _COLUMNS)


@bounds.command()
@click.argument("model")
@click.option("--member", metavar="M", help="Only for requests with this member.")
@dry_run_option
@instance
async def reset(instance: Instance, model: str, member: str | None, dry_run: bool) -> None:
    """Stop holding more for requests of a model than their bound says.

    Do it when the cause is mended, for example when the model has the right price or context. The counts stay.
    Example: softix bounds reset openai/gpt-4o
    """
    found = await operations.reset(stage(instance, dry_run), model, member)
    fields = {"model": found[0].full_name, "members": [named.bound.member or None for named in found]}
    show(rehearsed(fields, dry_run), "Would reset." if dry_run else "Reset.")

"""The commands `softix usage correct`, `reprice` and `recost`, which post differences as new rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from softix_proxy.cli.console.console import (
    Command,
    confirm,
    dry_run_option,
    instance,
    invocation,
    rehearsed,
    say,
    show,
    show_all,
    stage,
)
from softix_proxy.cli.console.spans import span_options, zone_of
from softix_proxy.cli.console.tables import TableLayout
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.core.ids import format_request_id
from softix_proxy.domain.core.money import format_usd, parse_usd
from softix_proxy.domain.metering.usage import UsageRow
from softix_proxy.domain.pricing.price_changes import remedy
from softix_proxy.operations.ledger.corrections import CorrectedRequest, Corrections
from softix_proxy.operations.metering import usage

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance

_NOTE = click.option("--note", required=True, metavar="TEXT", help="The reason. It is on the row and in every export.")
_COST_COLUMNS = TableLayout(
    (
        "request_id",
        "user_name",
        "model",
        "provider_cost_before",
        "provider_cost_after",
        "provider_cost_difference",
        "correction_row_id",
    ),
    leave=("correction_row_id", "model", "provider_cost_before", "user_name"),
)
_COLUMNS = TableLayout(
    ("request_id", "user_name", "model", "before", "after", "difference", "correction_row_id"),
    leave=("correction_row_id", "model", "before", "user_name"),
)


def as_fields(corrected: CorrectedRequest) -> dict[str, Any]:
    return {
        "request_id": format_request_id(corrected.row.request_id),
        "user_name": corrected.row.user_name,
        "model": corrected.row.model,
        "before": format_usd(corrected.before_pico),
        "after": format_usd(corrected.after_pico),
        "difference": format_usd(corrected.after_pico - corrected.before_pico),
        "corrects_row_id": corrected.row.id,
        "correction_row_id": corrected.correction.id if corrected.correction else None,
        "provider_cost_before": format_usd(corrected.cost_before_pico),
        "provider_cost_after": format_usd(corrected.cost_after_pico),
        "provider_cost_difference": format_usd(corrected.cost_after_pico - corrected.cost_before_pico),
    }


@click.command(cls=Command)
@click.argument("request_id")
@click.option("--charge", metavar="USD", help="The right charge. 0.00 takes everything back.")
@click.option("--reprice", is_flag=True, help="Charge by the price and mark-up that apply now.")
@_NOTE
@dry_run_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@instance
async def correct(
    instance: Instance, request_id: str, charge: str | None, reprice: bool, note: str, dry_run: bool, yes: bool
) -> None:
    """Correct what one request cost, by a row with the difference. The wrong row stays as it is.

    Example: softix usage correct req_06ct4zwq3w001 --charge 0.00 --note 'the answer was empty' --yes
    """
    if (charge is None) != reprice:
        raise BadInputError("what should it have cost?", "give --charge USD, or --reprice")
    corrections = Corrections(stage(instance, dry_run), note)
    charge_pico = None if charge is None else parse_usd(charge)
    row = (await usage.explain(instance.storage, request_id)).row
    confirm(f"Correct {request_id} of {row.user_name}, charged {format_usd(row.charge_pico)}?", yes or dry_run)
    if charge_pico is None:
        corrected = await corrections.reprice(request_id)
    else:
        corrected = await corrections.set_charge(request_id, charge_pico)
    sentence = "Nothing to correct." if corrected.correction is None else "Would correct." if dry_run else "Corrected."
    fields = as_fields(corrected) | ({"correction_row_id": None} if dry_run else {})
    show(rehearsed(fields, dry_run), sentence)


@click.command(cls=Command)
@click.option("--model", required=True, metavar="MODEL", help="The model: `model` or `provider/model`.")
@span_options(required=True)
@click.option("--user", metavar="USER", help="Only requests of this user: id, name or e-mail.")
@_NOTE
@click.option("--dry-run", is_flag=True, help="Show what would change, and post nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@instance
async def reprice(
    instance: Instance,
    model: str,
    from_: str,
    to: str,
    zone: str | None,
    user: str | None,
    note: str,
    dry_run: bool,
    yes: bool,
) -> None:
    """Correct all requests of a model in a period to the price that applies now.

    It posts the differences. If you run it again after a failure, it continues where it stopped.
    Example: softix usage reprice --model gpt-4o --from 2026-10-01 --to 2026-11-01 --note 'price list of October' --yes
    """
    span = usage.parse_span(from_, to, zone_of(instance, zone))
    corrections = Corrections(instance.storage, note)
    if not dry_run:
        confirm(f"Post corrections for {model} from {from_} to {to}?", yes)
    found = [
        corrected
        async for corrected in corrections.reprice_all(model, span, user, dry=dry_run)
        if corrected.before_pico != corrected.after_pico
    ]
    _show(found, dry_run)


def _show(found: Sequence[CorrectedRequest], dry: bool) -> None:
    difference = format_usd(sum(one.after_pico - one.before_pico for one in found))
    rows = [as_fields(one) for one in found]
    if invocation().as_json:
        show({"posted": not dry, "corrections": rows, "difference": difference})
        return
    show_all(rows, _COLUMNS)
    say(f"{'Would change' if dry else 'Corrected'}: {len(rows)}. Difference: {difference} USD.")


@click.command(cls=Command)
@click.option("--from", "from_", required=True, metavar="DATE", help="The start (UTC): a date or an instant.")
@click.option("--to", required=True, metavar="DATE", help="The end (UTC): a date or an instant. It is not included.")
@click.option("--model", metavar="MODEL", help="Only requests of this model: `model` or `provider/model`.")
@click.option("--user", metavar="USER", help="Only requests of this user: id, name or e-mail.")
@click.option("--current-price", "current", is_flag=True, help="Correct every request, by the price that applies now.")
@_NOTE
@click.option("--dry-run", is_flag=True, help="Show what would change, and post nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@instance
async def recost(
    instance: Instance,
    from_: str,
    to: str,
    model: str | None,
    user: str | None,
    current: bool,
    note: str,
    dry_run: bool,
    yes: bool,
) -> None:
    """Correct costs that were calculated with a customer's own price. Charges do not change.

    The cost of a request is calculated with the operator's or the catalogue's price that was in force when the request
    was made. The differences are posted now, so closed periods stay as they are. If you run it again after a failure,
    it continues where it stopped.
    Example: softix usage recost --from 2026-01-01 --to 2026-12-01 --note 'costs by the provider' --dry-run
    """
    span = usage.parse_span(from_, to)
    corrections = Corrections(instance.storage, note)
    if not dry_run:
        confirm(f"Post corrections of the cost of what was used from {from_} to {to}?", yes)
    found: list[CorrectedRequest] = []
    unknown: list[UsageRow] = []
    async for one in corrections.recost(model, span, user, current=current, dry=dry_run):
        if not isinstance(one, CorrectedRequest):
            unknown.append(one)
        elif one.cost_before_pico != one.cost_after_pico:
            found.append(one)
    _show_costs(found, unknown, dry_run)


def _show_costs(found: Sequence[CorrectedRequest], unknown: Sequence[UsageRow], dry: bool) -> None:
    difference = format_usd(sum(one.cost_after_pico - one.cost_before_pico for one in found))
    rows = [as_fields(one) for one in found]
    if invocation().as_json:
        show({"posted": not dry, "corrections": rows, "provider_cost_difference": difference, "unknown": len(unknown)})
        return
    show_all(rows, _COST_COLUMNS)
    say(f"{'Would change' if dry else 'Corrected'}: {len(rows)}. Difference of the cost: {difference} USD.")
    if unknown:
        say(f"Left as they are: {len(unknown)}, since only their customer had a price then.")
        for name in dict.fromkeys(f"{row.provider}/{row.model}" for row in unknown):
            say(f"  → {remedy(name)}, then recost with --model {name} --current-price")


COMMANDS = (correct, reprice, recost)

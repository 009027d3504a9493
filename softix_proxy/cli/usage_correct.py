"""softix usage correct, reprice, recost: the difference to what should have been said, as rows of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from softix_proxy.cli.console import (
    Command,
    confirm,
    dry_run_option,
    invocation,
    office,
    rehearsed,
    say,
    show,
    show_all,
    stage,
)
from softix_proxy.cli.spans import span_options, zone_of
from softix_proxy.cli.tables import TableLayout
from softix_proxy.domain.errors import BadInputError
from softix_proxy.domain.ids import format_request_id
from softix_proxy.domain.money import format_usd, parse_usd
from softix_proxy.domain.price_changes import remedy
from softix_proxy.domain.usage import UsageRow
from softix_proxy.operations import usage
from softix_proxy.operations.corrections import CorrectedRequest, Corrections

if TYPE_CHECKING:
    from softix_proxy.assembly import Office

_NOTE = click.option("--note", required=True, metavar="TEXT", help="Why; it stands on the row and in every export.")
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
@click.option("--charge", metavar="USD", help="What it should have cost the customer; 0.00 takes all back.")
@click.option("--reprice", is_flag=True, help="At the price and mark-up that apply now.")
@_NOTE
@dry_run_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@office
async def correct(
    office: Office, request_id: str, charge: str | None, reprice: bool, note: str, dry_run: bool, yes: bool
) -> None:
    """Post the difference to what one request should have cost. The row that was wrong stays as it is.

    Example: softix usage correct req_06ct4zwq3w001 --charge 0.00 --note 'the answer was empty' --yes
    """
    if (charge is None) != reprice:
        raise BadInputError("what should it have cost?", "give --charge USD, or --reprice")
    corrections = Corrections(stage(office, dry_run), note)
    charge_pico = None if charge is None else parse_usd(charge)
    row = (await usage.explain(office.storage, request_id)).row
    confirm(f"Correct {request_id} of {row.user_name}, charged {format_usd(row.charge_pico)}?", yes or dry_run)
    if charge_pico is None:
        corrected = await corrections.reprice(request_id)
    else:
        corrected = await corrections.set_charge(request_id, charge_pico)
    sentence = "Nothing to correct." if corrected.correction is None else "Would correct." if dry_run else "Corrected."
    fields = as_fields(corrected) | ({"correction_row_id": None} if dry_run else {})
    show(rehearsed(fields, dry_run), sentence)


@click.command(cls=Command)
@click.option("--model", required=True, metavar="MODEL", help="`model` or `provider/model`.")
@span_options(required=True)
@click.option("--user", metavar="USER", help="Only this user's: id, name or e-mail.")
@_NOTE
@click.option("--dry-run", is_flag=True, help="Show what would change, and post nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@office
async def reprice(
    office: Office,
    model: str,
    from_: str,
    to: str,
    zone: str | None,
    user: str | None,
    note: str,
    dry_run: bool,
    yes: bool,
) -> None:
    """Post the differences to the price that applies now, for all requests of a model in a period.

    Run again after a failure, it goes on where it stopped.
    Example: softix usage reprice --model gpt-4o --from 2026-10-01 --to 2026-11-01 --note 'price list of October' --yes
    """
    span = usage.parse_span(from_, to, zone_of(office, zone))
    corrections = Corrections(office.storage, note)
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
@click.option("--from", "from_", required=True, metavar="DATE", help="From this date or instant on (UTC).")
@click.option("--to", required=True, metavar="DATE", help="Up to but without this date or instant (UTC).")
@click.option("--model", metavar="MODEL", help="Only this model's: `model` or `provider/model`.")
@click.option("--user", metavar="USER", help="Only this user's: id, name or e-mail.")
@click.option("--current-price", "current", is_flag=True, help="Of every request, by the provider's price of now.")
@_NOTE
@click.option("--dry-run", is_flag=True, help="Show what would change, and post nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@office
async def recost(
    office: Office,
    from_: str,
    to: str,
    model: str | None,
    user: str | None,
    current: bool,
    note: str,
    dry_run: bool,
    yes: bool,
) -> None:
    """Post the differences to what providers ask, where a customer's own price was taken for it; charges stay.

    The cost is worked out by the operator's or the catalogue's price of when the request was made. Corrections are
    posted now, so that closed periods stay as they are. Run again after a failure, it goes on where it stopped.
    Example: softix usage recost --from 2026-01-01 --to 2026-12-01 --note 'costs by the provider' --dry-run
    """
    span = usage.parse_span(from_, to)
    corrections = Corrections(office.storage, note)
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

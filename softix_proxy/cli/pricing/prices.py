"""The commands of `softix prices` for versions of prices and for mark-ups."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from softix_proxy.cli.console.console import Group, dry_run_option, instance, rehearsed, say, show, show_all, stage
from softix_proxy.cli.console.spans import instant_of
from softix_proxy.cli.console.tables import TableLayout
from softix_proxy.cli.pricing import price_changes, price_examples, price_proposals
from softix_proxy.domain.core.clock import DAY_US, format_instant, parse_duration_us
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.core.money import format_usd, parse_usd
from softix_proxy.domain.pricing.meters import METERS
from softix_proxy.domain.pricing.price_changes import remedy
from softix_proxy.domain.pricing.prices import format_markup, marked_up
from softix_proxy.domain.pricing.rates import STANDARD, PriceSheet, parse_markup
from softix_proxy.operations.pricing import price_changes as changes
from softix_proxy.operations.pricing import prices as operations
from softix_proxy.operations.pricing.prices import AppliedPrice, ListedMarkup, ListedPrice, MissingPrice

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance

_OPTIONS = {f"price_{spec.price_key}": spec for spec in METERS.values()}
_FROM = click.option(
    "--from", "start", metavar="DATE", help="The start, in the time zone billing.zone.  [default: now]"
)


def price_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds `--free` and an option for each priced meter. The command passes them to `sheet_of`."""
    function = click.option("--free", is_flag=True, help="State that it costs nothing.")(function)
    for name, spec in reversed(_OPTIONS.items()):
        flag = "--" + spec.price_key.replace("_", "-")
        function = click.option(flag, name, metavar="USD", help=f"Per {spec.units}.")(function)
    return function


def sheet_of(options: Mapping[str, Any]) -> PriceSheet | None:
    """Builds a sheet from the options of `price_options`. Returns None if none was given. Raises BadInputError."""
    prices = {_OPTIONS[name].price_key: text for name, text in options.items() if name in _OPTIONS and text is not None}
    if options["free"]:
        if prices:
            raise BadInputError("free and a price at once", "give --free, or prices")
        return PriceSheet.parse({"free": True})
    return PriceSheet.parse({"bands": [{"prices": prices}]}) if prices else None


def base_prices(sheet: PriceSheet) -> dict[str, str]:
    """Returns price key → exact decimal USD, for the standard tier from zero tokens on.

    It is empty for a free model.
    """
    return {METERS[name].price_key: format(usd, "f") for name, usd in _base(sheet).items()}


def _base(sheet: PriceSheet) -> Mapping[str, Decimal]:
    bands = {(band.service_tier, band.above_input_tokens): band.unit_prices for band in sheet.bands}
    return bands.get((STANDARD, 0), {})


def as_fields(listed: ListedPrice) -> dict[str, Any]:
    version, sheet = listed.version, listed.version.sheet
    return {
        "version": version.id,
        "model": listed.model.name,
        "provider": listed.provider.name,
        "user": listed.user.name if listed.user else None,
        "source": version.source,
        "state": listed.state.value,
        "starts_at": format_instant(version.starts_at_us),
        "created_at": format_instant(version.created_at_us),
        "free": sheet.free,
        "prices": base_prices(sheet),
        "bands": sheet.dump().get("bands", []),
    }


def applied_fields(applied: AppliedPrice) -> dict[str, Any]:
    base = _base(applied.listed.version.sheet)
    charged = {METERS[name].price_key: marked_up(usd, applied.markup) for name, usd in base.items()}
    markup = {"markup": format_markup(applied.markup), "request_fee": format_usd(applied.fee_pico)}
    costs = applied.costs
    asked = {
        "cost_version": applied.listed.version.id if costs is None else costs.price_id or None,
        "provider_prices": base_prices(applied.listed.version.sheet if costs is None else costs.sheet),
    }
    return as_fields(applied.listed) | markup | {"charged": charged} | asked


def missing_fields(item: MissingPrice) -> dict[str, Any]:
    return {
        "model": item.entry.model.name,
        "provider": item.entry.provider.name,
        "asks": item.asks.asks,
        "last_asked_at": format_instant(item.asks.last_asked_at_us or None),
    }


def markup_fields(listed: ListedMarkup) -> dict[str, Any]:
    version = listed.version
    return {
        "version": version.id,
        "scope": version.scope,
        "subject": listed.subject,
        "markup": format_markup(version.factor),
        "request_fee": format_usd(version.fee_pico),
        "state": listed.state.value,
        "starts_at": format_instant(version.starts_at_us),
        "created_at": format_instant(version.created_at_us),
    }


_COLUMNS = TableLayout(
    ("version", "model", "provider", "user", "source", "state", "starts_at", "free", "prices"),
    leave=("free", "starts_at", "source", "user", "state", "provider"),
    prose=("prices",),
)


@click.group(cls=Group)
def prices() -> None:
    """Set, import and approve prices and mark-ups. Example: softix prices set llama-3 --input 0.15 --output 0.60"""


@prices.command("list")
@click.option("--model", metavar="M", help="Only prices of this model.")
@instance
async def list_(instance: Instance, model: str | None) -> None:
    """List the prices that are in force and those that start later. Example: softix prices list --model gpt-4o"""
    rows = [as_fields(listed) for listed in await operations.list_all(instance.storage, model=model)]
    show_all(rows, _COLUMNS)


@prices.command("show")
@click.argument("model")
@click.option("--user", metavar="U", help="Show what this customer pays.")
@instance
async def show_(instance: Instance, model: str, user: str | None) -> None:
    """Show the price that applies now, with the mark-up.

    The customer's own price comes first, then the operator's, then the catalogue's.
    Example: softix prices show gpt-4o --user ada
    """
    price_changes.show_price(applied_fields(await operations.show(instance.storage, model, user=user)))


@prices.command("set")
@click.argument("model")
@price_options
@click.option("--tier", metavar="TIER", help="The service tier, for example flex.  [default: the standard one]")
@click.option(
    "--above", type=click.IntRange(0), metavar="N", help="Set the price for requests with more input tokens than this."
)
@click.option("--replace", is_flag=True, help="Keep nothing of the price in force.")
@click.option("--user", metavar="U", help="Set the price for this customer alone. No mark-up is added.")
@_FROM
@dry_run_option
@instance
async def set_(
    instance: Instance,
    model: str,
    tier: str | None,
    above: int | None,
    replace: bool,
    user: str | None,
    start: str | None,
    dry_run: bool,
    **options: Any,
) -> None:
    """Set a model's price in USD, as a new version. What you do not name stays as it is in force.

    Example: softix prices set llama-3 --input 0.15 --output 0.60
    """
    sheet = sheet_of(options)
    if sheet is None:
        raise BadInputError("no price is named", "name what changes, for example --input 0.15, or give --free")
    if sheet.free and (tier or above):
        raise BadInputError("a model is free as a whole", "leave --tier and --above out")
    if replace and (tier or above):
        raise BadInputError("a price begins with the standard tier", "set that with --replace, then the others without")
    changed = await changes.change_price(
        stage(instance, dry_run),
        model,
        changes.GivenPrice(_base(sheet), *changes.parse_place(tier, above), replace),
        user=user,
        starts_at_us=instant_of(instance, start),
    )
    price_changes.show_changed(changed, as_fields(changed.listed), dry_run)


@prices.command()
@click.option("--within", metavar="TIME", help="Only models that were asked for within this time: 7d, 24h.")
@click.option("--days", type=click.IntRange(1, 36_500), metavar="N", help="The same as --within, in days.")
@instance
async def missing(instance: Instance, within: str | None, days: int | None) -> None:
    """List models that are refused because they have no price. Example: softix prices missing --days 7"""
    if within is not None and days is not None:
        raise BadInputError("two times at once", "give --within, or --days")
    within_us = DAY_US * days if days is not None else None if within is None else parse_duration_us(within)
    rows = [missing_fields(item) for item in await operations.missing(instance.storage, within_us)]
    show_all(rows, _MISSING)
    if rows:
        first = rows[0]
        command = remedy("/".join((first["provider"], first["model"])))
        say(f"Price one: {command} (or --free)")


@prices.command()
@click.argument("model")
@instance
async def history(instance: Instance, model: str) -> None:
    """List every version of a model's price. Example: softix prices history gpt-4o"""
    show_all([as_fields(listed) for listed in await operations.history(instance.storage, model)], _COLUMNS)


_MISSING = TableLayout(("model", "provider", "asks", "last_asked_at"), leave=("last_asked_at", "provider"))
_MARKUP_COLUMNS = TableLayout(
    ("version", "scope", "subject", "markup", "request_fee", "state", "starts_at"),
    leave=("starts_at", "state", "scope"),
)


@prices.command(context_settings={"ignore_unknown_options": True})  # lets -5% be an argument
@click.option("--default", metavar="PERCENT", help="The mark-up for all users and models without one of their own.")
@click.option("--user", metavar="U", help="Set it for this user. It wins over the model's and the default.")
@click.option("--model", metavar="M", help="Set it for this model. It wins over the default.")
@click.argument("percent", required=False)
@click.option("--fee", metavar="USD", help="The fee for each answered request.  [default: unchanged]")
@_FROM
@dry_run_option
@instance
async def markup(
    instance: Instance,
    default: str | None,
    user: str | None,
    model: str | None,
    percent: str | None,
    fee: str | None,
    start: str | None,
    dry_run: bool,
) -> None:
    """Set a mark-up and a fee per request, for all, for a user or for a model.

    Without options, it lists them. Example: softix prices markup --default 7.5% --fee 0.0005
    """
    if not (default or user or model or percent or fee):
        rows = [markup_fields(listed) for listed in await operations.list_markups(instance.storage)]
        show_all(rows, _MARKUP_COLUMNS)
        return
    named = user is not None or model is not None
    asked = percent if named else default
    if (asked is None and not (named and fee)) or (named and default) or (default and percent):
        raise BadInputError("which mark-up, and for whom?", "--default 7.5%, or --user U 7.5%, or --model M 7.5%")
    listed = await operations.set_markup(
        stage(instance, dry_run),
        None if asked is None else parse_markup(asked),
        fee_pico=None if fee is None else parse_usd(fee),
        user=user,
        model=model,
        starts_at_us=instant_of(instance, start),
    )
    fields = markup_fields(listed)
    show(rehearsed(fields | ({"version": None} if dry_run else {}), dry_run))


for _command in (*price_proposals.COMMANDS, *price_examples.COMMANDS):
    prices.add_command(_command)

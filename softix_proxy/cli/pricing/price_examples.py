"""The command `softix prices check`, which calculates worked examples from the providers' own price pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from softix_proxy.cli.console.console import Command, instance, say, show_all
from softix_proxy.cli.console.tables import TableLayout
from softix_proxy.domain.core.money import format_usd
from softix_proxy.operations.pricing import price_examples as operations
from softix_proxy.operations.pricing.price_examples import CheckedExample

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance

_COLUMNS = TableLayout(
    ("result", "provider_type", "model", "what", "expected", "cost", "place"),
    leave=("place", "provider_type"),
    prose=("what",),
)


def as_fields(checked: CheckedExample) -> dict[str, Any]:
    example = checked.example
    return {
        "result": "agrees" if checked.agrees else "wrong" if checked.fails else "differs",
        "provider_type": example.provider_type,
        "model": example.model,
        "what": example.what,
        "stated": example.stated,
        "source": example.source,
        "service_tier": example.service_tier,
        "used": dict(example.used),
        "expected": format_usd(example.usd_pico),
        "cost": None if checked.cost_pico is None else format_usd(checked.cost_pico),
        "place": checked.place,
        "price_source": checked.source,
    }


@click.command(cls=Command)
@click.option(
    "--provider", "provider_type", metavar="TYPE", help="Only examples of this type of provider, such as groq."
)
@instance
async def check(instance: Instance, provider_type: str | None) -> None:
    """Calculate examples from the providers' own price pages, and compare the results.

    It uses the shipped catalogue and the prices in force here, and needs no network. The exit code is 1 if a catalogue
    price gives another result than the page. An operator's own price may differ.
    Example: softix prices check --provider openai
    """
    from softix_proxy.operations.catalog import catalogue

    examples = [one for one in operations.load() if provider_type in (None, one.provider_type)]
    checked = await operations.check(instance.storage, catalogue.load(), examples)
    show_all([as_fields(one) for one in checked], _COLUMNS)
    wrong = sum(one.fails for one in checked)
    say(f"{len(checked)} worked, {wrong} wrong. Their pages: softix prices check --json")
    if wrong:
        say("Prices here that are older than the catalogue: softix prices import --catalog")
        raise SystemExit(1)


COMMANDS = (check,)

"""softix prices check: worked examples from the providers' own price pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from softix_proxy.cli.console import Command, office, say, show_all
from softix_proxy.cli.tables import TableLayout
from softix_proxy.domain.money import format_usd
from softix_proxy.operations import price_examples as operations
from softix_proxy.operations.price_examples import CheckedExample

if TYPE_CHECKING:
    from softix_proxy.assembly import Office

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
@click.option("--provider", "provider_type", metavar="TYPE", help="Only those of this type of provider, such as groq.")
@office
async def check(office: Office, provider_type: str | None) -> None:
    """Work examples from the providers' own price pages, with the shipped catalogue and with what is in force here.

    Without a network. Exit code 1 where a catalogue price gives something else than the page; an operator's own price
    may differ. Example: softix prices check --provider openai
    """
    from softix_proxy.operations import catalogue

    examples = [one for one in operations.load() if provider_type in (None, one.provider_type)]
    checked = await operations.check(office.storage, catalogue.load(), examples)
    show_all([as_fields(one) for one in checked], _COLUMNS)
    wrong = sum(one.fails for one in checked)
    say(f"{len(checked)} worked, {wrong} wrong. Their pages: softix prices check --json")
    if wrong:
        say("Prices here that are older than the catalogue: softix prices import --catalog")
        raise SystemExit(1)


COMMANDS = (check,)

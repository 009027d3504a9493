"""softix models: the names that clients ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from softix_proxy.cli.console import Group, office, say, show, show_all
from softix_proxy.cli.prices import base_prices, price_options, sheet_of
from softix_proxy.cli.tables import Table
from softix_proxy.domain.models import ModelStatus
from softix_proxy.operations import models as operations
from softix_proxy.operations.models import Entry

if TYPE_CHECKING:
    from softix_proxy.assembly import Office


def as_fields(entry: Entry) -> dict[str, Any]:
    return {
        "name": entry.model.name,
        "provider": entry.provider.name,
        "upstream_name": entry.model.upstream_name,
        "context": entry.model.context_tokens,
        "max_output": entry.model.max_output_tokens,
        "status": entry.model.status.value,
        "priced": entry.sheet is not None,
        "prices": None if entry.sheet is None else base_prices(entry.sheet),
    }


_TOKENS = (
    click.option("--max-output", type=click.IntRange(0, 10**12), metavar="N", help="The most tokens of one answer."),
    click.option("--context", type=click.IntRange(1, 10**12), metavar="N", help="The most tokens of one request."),
)


_LIST = Table(
    ("name", "provider", "context", "max_output", "status", "priced", "prices"),
    leave=("max_output", "context", "priced", "status"),
    prose=("prices",),
)


@click.group(cls=Group)
def models() -> None:
    """The names that clients ask for. Example: softix models list"""


@models.command("list")
@click.option("--provider", metavar="P", help="Only those of this provider.")
@click.option("--all", "every", is_flag=True, help="Disabled ones too.")
@office
async def list_(office: Office, provider: str | None, every: bool) -> None:
    """List the models that clients may ask for. Example: softix models list --provider openai"""
    rows = [as_fields(entry) for entry in await operations.list_all(office.storage, provider=provider, every=every)]
    show_all(rows, _LIST)


@models.command("show")
@click.argument("model")
@office
async def show_(office: Office, model: str) -> None:
    """Show one model. Example: softix models show openai/gpt-4o-mini"""
    show(as_fields(await operations.show(office.storage, model)))


@models.command()
@click.argument("name")
@click.option("--provider", metavar="P", required=True, help="Where it runs.")
@click.option("--upstream-name", metavar="N", help="What it is called there, if not the same.")
@_TOKENS[0]
@_TOKENS[1]
@price_options
@office
async def add(
    office: Office,
    name: str,
    provider: str,
    upstream_name: str | None,
    max_output: int | None,
    context: int | None,
    **prices: Any,
) -> None:
    """Add a model, with its price in USD or as a free one.

    Example: softix models add llama-3 --provider lab --input 0.15 --output 0.60
    """
    entry = await operations.add(
        office.storage,
        name=name,
        provider=provider,
        upstream_name=upstream_name,
        sheet=sheet_of(prices),
        context_tokens=context,
        max_output_tokens=max_output,
    )
    if entry.sheet is None:
        say(
            f"{name} has no price: requests for it are refused (model_not_priced).\n"
            f"  → softix prices set {entry.full_name} --input 0.15 --output 0.60 (or --free)"
        )
    show(as_fields(entry), f"Added {entry.full_name}.")


@models.command()
@click.argument("model")
@click.option("--upstream-name", metavar="N", help="What it is called where it runs.")
@_TOKENS[0]
@_TOKENS[1]
@office
async def update(
    office: Office, model: str, upstream_name: str | None, max_output: int | None, context: int | None
) -> None:
    """Change a model; its price is changed with `prices set`. Example: softix models update llama-3 --context 8192"""
    entry = await operations.update(
        office.storage, model, upstream_name=upstream_name, context_tokens=context, max_output_tokens=max_output
    )
    show(as_fields(entry))


@models.command()
@click.argument("model")
@office
async def disable(office: Office, model: str) -> None:
    """Refuse a model from the next request on. Example: softix models disable openai/gpt-4o"""
    show(as_fields(await operations.update(office.storage, model, status=ModelStatus.DISABLED)))


@models.command()
@click.argument("model")
@office
async def enable(office: Office, model: str) -> None:
    """Offer a disabled model again. Example: softix models enable openai/gpt-4o"""
    show(as_fields(await operations.update(office.storage, model, status=ModelStatus.ACTIVE)))

"""The commands of `softix models`, which manage the names that clients request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from softix_proxy.cli.catalog.providers_add import priced_models
from softix_proxy.cli.console.console import Group, dry_run_option, instance, rehearsed, say, show, show_all, stage
from softix_proxy.cli.console.tables import TableLayout
from softix_proxy.cli.pricing.prices import base_prices, price_options, sheet_of
from softix_proxy.domain.access.rights import has_glob
from softix_proxy.domain.catalog.models import ModelStatus
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.pricing.price_changes import remedy
from softix_proxy.operations.catalog import models as operations
from softix_proxy.operations.catalog import wildcards
from softix_proxy.operations.catalog.models import PricedModel

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance


def as_fields(entry: PricedModel) -> dict[str, Any]:
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


_LIST = TableLayout(
    ("name", "provider", "context", "max_output", "status", "priced", "prices"),
    leave=("max_output", "context", "priced", "status"),
    prose=("prices",),
)


@click.group(cls=Group)
def models() -> None:
    """Add, list and change the models that clients can use. Example: softix models list"""


@models.command("list")
@click.option("--provider", metavar="P", help="Only models of this provider.")
@click.option("--all", "every", is_flag=True, help="List disabled models too.")
@instance
async def list_(instance: Instance, provider: str | None, every: bool) -> None:
    """List the models that clients can use. Example: softix models list --provider openai"""
    rows = [as_fields(entry) for entry in await operations.list_all(instance.storage, provider=provider, every=every)]
    show_all(rows, _LIST)


@models.command("show")
@click.argument("model")
@instance
async def show_(instance: Instance, model: str) -> None:
    """Show one model, or what a pattern that was added offers. Example: softix models show openai/gpt-4o-mini"""
    if has_glob(model):
        host, pattern = await wildcards.provider_of(instance.storage, model, None)
        show(wildcards.as_fields(await wildcards.show(instance.storage, host, pattern)))
        return
    show(as_fields(await operations.show(instance.storage, model)))


@models.command()
@click.argument("name")
@click.option("--provider", metavar="P", help="The provider that runs the model. A pattern may name it itself.")
@click.option("--upstream-name", metavar="N", help="The model's name at the provider, if it differs.")
@_TOKENS[0]
@_TOKENS[1]
@price_options
@dry_run_option
@instance
async def add(
    instance: Instance,
    name: str,
    provider: str | None,
    upstream_name: str | None,
    max_output: int | None,
    context: int | None,
    dry_run: bool,
    **prices: Any,
) -> None:
    """Add a model, with a price in USD or as a free one.

    A pattern such as 'openai/*' adds every model of the provider that the shipped catalogue has a price for. Example:
    softix models add llama-3 --provider lab --input 0.15 --output 0.60
    """
    if has_glob(name):
        if upstream_name or max_output is not None or context is not None or sheet_of(prices) is not None:
            raise BadInputError("a pattern gets its prices from the catalogue", "add a model by its name to set one")
        await _add_pattern(instance, name, provider, dry_run)
        return
    if provider is None:
        raise BadInputError("the provider is missing", "add --provider, or write a pattern such as 'openai/*'")
    entry = await operations.add(
        stage(instance, dry_run),
        name=name,
        provider=provider,
        upstream_name=upstream_name,
        sheet=sheet_of(prices),
        context_tokens=context,
        max_output_tokens=max_output,
    )
    if entry.sheet is None:
        say(
            f"{name} has no price: requests for it are refused (model_not_priced).",
            f"{remedy(entry.full_name)} (or --free)",
        )
    show(rehearsed(as_fields(entry), dry_run), f"{'Would add' if dry_run else 'Added'} {entry.full_name}.")


@models.command()
@click.argument("model")
@click.option("--upstream-name", metavar="N", help="The model's name at the provider.")
@_TOKENS[0]
@_TOKENS[1]
@dry_run_option
@instance
async def update(
    instance: Instance,
    model: str,
    upstream_name: str | None,
    max_output: int | None,
    context: int | None,
    dry_run: bool,
) -> None:
    """Change a model. To change its price, use `prices set`.

    Example: softix models update llama-3 --context 8192
    """
    entry = await operations.update(
        stage(instance, dry_run),
        model,
        upstream_name=upstream_name,
        context_tokens=context,
        max_output_tokens=max_output,
    )
    show(rehearsed(as_fields(entry), dry_run))


@models.command()
@click.argument("model")
@dry_run_option
@instance
async def disable(instance: Instance, model: str, dry_run: bool) -> None:
    """Refuse a model, or all of a pattern, from the next request on. Example: softix models disable openai/gpt-4o"""
    await _set_status(instance, model, ModelStatus.DISABLED, dry_run)


@models.command()
@click.argument("model")
@dry_run_option
@instance
async def enable(instance: Instance, model: str, dry_run: bool) -> None:
    """Offer a disabled model, or all of a pattern, again. Example: softix models enable openai/gpt-4o"""
    await _set_status(instance, model, ModelStatus.ACTIVE, dry_run)


async def _add_pattern(instance: Instance, name: str, provider: str | None, dry_run: bool) -> None:
    host, pattern = await wildcards.provider_of(instance.storage, name, provider)
    offered = await wildcards.add(stage(instance, dry_run), host, pattern, priced_models(host.type))
    count = len(offered.added)
    say(f"{'Would add' if dry_run else 'Added'} {count} model{'' if count == 1 else 's'} of {host.name}.")
    show(rehearsed(wildcards.as_fields(offered), dry_run))


async def _set_status(instance: Instance, model: str, status: ModelStatus, dry_run: bool) -> None:
    storage = stage(instance, dry_run)
    if has_glob(model):
        host, pattern = await wildcards.provider_of(storage, model, None)
        show(rehearsed(wildcards.as_fields(await wildcards.set_status(storage, host, pattern, status)), dry_run))
    else:
        show(rehearsed(as_fields(await operations.update(storage, model, status=status)), dry_run))

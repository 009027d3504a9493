"""The command `softix providers add`, which adds a provider with its key and models.

It finds a provider on this machine by itself.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from softix_proxy.cli.catalog.provider_fields import (
    drop_field_option,
    hang_up_option,
    no_test_option,
    show_with_test,
    tell_base_url,
    tested,
)
from softix_proxy.cli.console.console import Command, instance, say
from softix_proxy.cli.console.key_source import KeySource, key_options
from softix_proxy.domain.catalog.profiles import PROFILES
from softix_proxy.domain.catalog.provider_types import BLANKS, OnDisconnect, ProviderType
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.operations.catalog import provider_probe
from softix_proxy.operations.catalog import providers as operations

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance
    from softix_proxy.operations.catalog.catalogue import CatalogueModel

_TYPES = [kind.value for kind in ProviderType]


@click.command(cls=Command)
@click.argument("name")
@click.option(
    "--type", "kind", type=click.Choice(_TYPES), help="The type, which sets protocol and prices.  [default: NAME]"
)
@click.option("--base-url", metavar="URL", default="", help="The address. The type openai-compatible needs it.")
@click.option("--resource", metavar="NAME", help="The name of the resource, for azure.")
@click.option("--project", metavar="ID", help="The project in Google Cloud, for vertex.")
@click.option(
    "--location", metavar="NAME", help="The location in Google Cloud, for vertex: europe-west4, global or another."
)
@key_options
@hang_up_option
@click.option(
    "--region", metavar="R", help="The region where it works, for example eu. Users and keys may be bound to regions."
)
@click.option("--models", "wanted", metavar="LIST", help="Only add these models, separated by commas.")
@click.option("--free", is_flag=True, help="Add the models that the provider lists, as free ones.")
@drop_field_option
@no_test_option
@instance
async def add(
    instance: Instance,
    name: str,
    kind: str | None,
    base_url: str,
    key_stdin: bool,
    key_env: str | None,
    key_file: Path | None,
    on_hang_up: OnDisconnect | None,
    region: str | None,
    wanted: str | None,
    free: bool,
    drop_fields: tuple[str, ...],
    no_test: bool,
    **blanks: str | None,
) -> None:
    """Add a provider and the models that softix knows of it.

    For a local type such as ollama, it finds the server on this machine. softix then asks the provider for its models,
    to see whether it answers. This costs nothing. The command succeeds even if the provider does not answer.

    Example: softix providers add openai --key-env OPENAI_API_KEY
    """
    operations.checked_name(name)
    type_ = _type(name, kind)
    _check_blanks(type_, base_url, blanks)
    key = KeySource(key_stdin, key_env, key_file).read(name, ask=PROFILES[type_].needs_key)
    names = tuple(part.strip() for part in (wanted or "").split(",") if part.strip())
    if wanted is not None and not names:
        raise BadInputError("--models is empty", "name models, with commas between them, or leave it out")
    if no_test and free and base_url and not names:
        raise BadInputError("--free adds what the provider lists", "leave --no-test out, or name models with --models")
    found = await _found(instance, type_, base_url, key, listed=(free or bool(names)) and not no_test)
    models = _models(type_, found, names, free=free)
    await operations.add(
        instance.storage,
        await instance.vault(),
        name=name,
        kind=type_,
        base_url=found.base.text if found else base_url,
        version_in_url=found.base.has_version if found else None,
        key=key,
        on_hang_up=on_hang_up,
        region=region,
        blanks={blank: value for blank, value in blanks.items() if value is not None},
        drop_fields=drop_fields,
        models=models,
    )
    test = await tested(instance, name, base_url, type_, no_test=no_test or found is not None)
    provider = await operations.show(instance.storage, name)
    tell_base_url(base_url, provider)
    _tell_models(name, type_, found, models, free=free)
    show_with_test(provider, test, f"Added {name}. Check it: softix providers test {name}")


def _type(name: str, kind: str | None) -> ProviderType:
    if kind is None and name not in _TYPES:
        raise BadInputError("the type is missing", f"add --type, one of: {', '.join(_TYPES)}")
    return ProviderType(kind or name)


def _check_blanks(kind: ProviderType, base_url: str, blanks: dict[str, str | None]) -> None:
    """Raises BadInputError for a blank that would have no effect."""
    taken = () if base_url else PROFILES[kind].blanks
    idle = [name for name in BLANKS if blanks[name] is not None and name not in taken]
    if idle:
        raise BadInputError(f"--{idle[0]} has no place here", f"leave it out for {kind.value}, or where --base-url is")


async def _found(
    instance: Instance, kind: ProviderType, base_url: str, key: str | None, *, listed: bool
) -> provider_probe.DiscoveredServer | None:
    """Returns the server and its models if it is on this machine, or if its listed models are to be added."""
    from softix_proxy.upstream.probe import fetch

    trusting = partial(fetch, ca_file=instance.settings.upstream.ca_file)
    if not base_url and PROFILES[kind].ports:
        found = await provider_probe.find_local(kind, key, trusting)
        say(f"Found {kind.value} at {found.base.text}, with {len(found.models)} models.")
        return found
    if base_url and listed and not priced_models(kind):
        return await provider_probe.look(kind, base_url, key, trusting)
    return None


def priced_models(kind: ProviderType) -> tuple[CatalogueModel, ...]:
    from softix_proxy.demo import models
    from softix_proxy.operations.catalog import catalogue

    if kind is ProviderType.DEMO:
        return models.models()
    served = PROFILES[kind].served
    return tuple(model for model in catalogue.load().models(kind.value) if model.name.startswith(served))


def _models(
    kind: ProviderType, found: provider_probe.DiscoveredServer | None, wanted: tuple[str, ...], *, free: bool
) -> tuple[CatalogueModel, ...]:
    priced = priced_models(kind)
    if not priced:
        known = found.models if found else ()
        return provider_probe.chosen(kind, known, wanted, free=free) if free or wanted else ()
    if free:
        raise BadInputError(f"{kind.value} has prices", "leave --free out, or see: softix prices set")
    unknown = set(wanted) - {model.name for model in priced}
    if unknown:
        raise BadInputError(
            f"the price list of {kind.value} has no {min(unknown)!r}", "add it afterwards, with: softix models add"
        )
    return tuple(model for model in priced if not wanted or model.name in wanted)


def _tell_models(
    name: str,
    kind: ProviderType,
    found: provider_probe.DiscoveredServer | None,
    models: tuple[CatalogueModel, ...],
    *,
    free: bool,
) -> None:
    if models and (free or priced_models(kind)):
        say(f"Enabled {len(models)} models: softix models list --provider {name}")
    elif models:
        say(f"Added {len(models)} models, refused until priced: softix prices set {name}/{models[0].name} --free")
    elif kind is not ProviderType.DEMO:
        if found and found.models:
            say(f"Its models: {', '.join(found.models)}")
        say(f"Next: softix models add NAME --provider {name} --input 0.15 --output 0.60 (or --free)")

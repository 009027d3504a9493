"""softix providers add: a provider with its key and its models; one on this machine is found by itself."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from softix_proxy.cli.console import Command, office, say
from softix_proxy.cli.key_source import KeySource, key_options
from softix_proxy.cli.provider_fields import (
    drop_field_option,
    hang_up_option,
    no_test_option,
    show_with_test,
    tell_base_url,
    tested,
)
from softix_proxy.domain.errors import BadInputError
from softix_proxy.domain.profiles import BLANKS, PROFILES, HangUp, ProviderType
from softix_proxy.operations import probes
from softix_proxy.operations import providers as operations

if TYPE_CHECKING:
    from softix_proxy.assembly import Office
    from softix_proxy.operations.catalogue import CatalogueModel

_TYPES = [kind.value for kind in ProviderType]


@click.command(cls=Command)
@click.argument("name")
@click.option("--type", "kind", type=click.Choice(_TYPES), help="Which protocol and prices it has; else NAME tells.")
@click.option("--base-url", metavar="URL", default="", help="Where it is; needed for openai-compatible.")
@click.option("--resource", metavar="NAME", help="Azure's name of the resource.")
@click.option("--project", metavar="ID", help="Google Cloud's project, for vertex.")
@click.option("--location", metavar="NAME", help="Google Cloud's location, for vertex: europe-west4, global, …")
@key_options
@hang_up_option
@click.option("--region", metavar="R", help="Where it works, for example eu: users and keys may be bound to regions.")
@click.option("--models", "wanted", metavar="LIST", help="Only these of its models, with commas between.")
@click.option("--free", is_flag=True, help="Add the models that it lists, as free ones.")
@drop_field_option
@no_test_option
@office
async def add(
    office: Office,
    name: str,
    kind: str | None,
    base_url: str,
    key_stdin: bool,
    key_env: str | None,
    key_file: Path | None,
    on_hang_up: HangUp | None,
    region: str | None,
    wanted: str | None,
    free: bool,
    drop_fields: tuple[str, ...],
    no_test: bool,
    **blanks: str | None,
) -> None:
    """Add a provider, with the models that softix knows of it; find one that runs on this machine.

    It is asked for its models, to see whether it answers: nothing of that costs anything, or fails the command.

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
    found = await _found(office, type_, base_url, key, listed=(free or bool(names)) and not no_test)
    models = _models(type_, found, names, free=free)
    await operations.add(
        office.storage,
        await office.vault(),
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
    test = await tested(office, name, base_url, type_, no_test=no_test or found is not None)
    provider = await operations.show(office.storage, name)
    tell_base_url(base_url, provider)
    _tell_models(name, type_, found, models, free=free)
    show_with_test(provider, test, f"Added {name}. Check it: softix providers test {name}")


def _type(name: str, kind: str | None) -> ProviderType:
    if kind is None and name not in _TYPES:
        raise BadInputError("the type is missing", f"add --type, one of: {', '.join(_TYPES)}")
    return ProviderType(kind or name)


def _check_blanks(kind: ProviderType, base_url: str, blanks: dict[str, str | None]) -> None:
    """Raises BadInputError for one that would be without effect."""
    taken = () if base_url else PROFILES[kind].blanks
    idle = [name for name in BLANKS if blanks[name] is not None and name not in taken]
    if idle:
        raise BadInputError(f"--{idle[0]} has no place here", f"leave it out for {kind.value}, or where --base-url is")


async def _found(
    office: Office, kind: ProviderType, base_url: str, key: str | None, *, listed: bool
) -> probes.DiscoveredServer | None:
    """What the server has, where it is one of this machine's, or its models are to be added as it lists them."""
    from softix_proxy.upstream.probe import fetch

    trusting = partial(fetch, ca_file=office.settings.upstream.ca_file)
    if not base_url and PROFILES[kind].ports:
        found = await probes.find_local(kind, key, trusting)
        say(f"Found {kind.value} at {found.base.text}, with {len(found.models)} models.")
        return found
    if base_url and listed and not _priced(kind):
        return await probes.look(kind, base_url, key, trusting)
    return None


def _priced(kind: ProviderType) -> tuple[CatalogueModel, ...]:
    from softix_proxy.demo import models
    from softix_proxy.operations import catalogue

    if kind is ProviderType.DEMO:
        return models.models()
    served = PROFILES[kind].served
    return tuple(model for model in catalogue.load().models(kind.value) if model.name.startswith(served))


def _models(
    kind: ProviderType, found: probes.DiscoveredServer | None, wanted: tuple[str, ...], *, free: bool
) -> tuple[CatalogueModel, ...]:
    priced = _priced(kind)
    if not priced:
        known = found.models if found else ()
        return probes.chosen(kind, known, wanted, free=free) if free or wanted else ()
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
    found: probes.DiscoveredServer | None,
    models: tuple[CatalogueModel, ...],
    *,
    free: bool,
) -> None:
    if models and (free or _priced(kind)):
        say(f"Enabled {len(models)} models: softix models list --provider {name}")
    elif models:
        say(f"Added {len(models)} models, refused until priced: softix prices set {name}/{models[0].name} --free")
    elif kind is not ProviderType.DEMO:
        if found and found.models:
            say(f"Its models: {', '.join(found.models)}")
        say(f"Next: softix models add NAME --provider {name} --input 0.15 --output 0.60 (or --free)")

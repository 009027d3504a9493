"""Shows providers, and defines the options that several of their commands share."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from softix_proxy.cli.console.console import invocation, say, show
from softix_proxy.domain.catalog.provider_types import ProviderType
from softix_proxy.domain.catalog.providers import Provider
from softix_proxy.domain.core.clock import format_instant
from softix_proxy.domain.core.errors import OperatorError
from softix_proxy.operations.catalog.base_urls import read_base_url

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance

_SLOW_TIMEOUT_S = 5
"""The timeout of a test that runs without being requested."""

no_test_option = click.option("--no-test", is_flag=True, help="Do not ask the provider for its models.")
hang_up_option = click.option(
    "--on-hang-up",
    type=click.Choice(["cancel", "drain"]),
    help="When a client disconnects from a stream: cancel the request, or read it to its end.",
)

drop_field_option = click.option(
    "--drop-field",
    "drop_fields",
    metavar="FIELD",
    multiple=True,
    help="Leave out a field that the provider refuses. Repeat it for more fields.",
)


def as_fields(provider: Provider) -> dict[str, Any]:
    return {
        "id": provider.public_id,
        "name": provider.name,
        "type": provider.type.value,
        "base_url": provider.base_url,
        "on_hang_up": provider.on_hang_up,
        "status": provider.status.value,
        "has_key": bool(provider.keys),
        "keys": [{"label": key.label, "weight": key.weight} for key in provider.keys],
        "region": provider.region,
        "created_at": format_instant(provider.created_at_us),
        "version_in_url": provider.version_in_url,
        "drop_fields": list(provider.drop_fields),
        "unknown_members": provider.unknown_members,
    }


def show_with_test(provider: Provider, test: Mapping[str, Any] | None, sentence: str | None = None) -> None:
    """Shows the provider. Only JSON includes the test, because its result was already printed as prose."""
    fields = as_fields(provider)
    show({**fields, "tested": test} if invocation().as_json else fields, sentence)


def tell_base_url(asked: str, provider: Provider) -> None:
    if asked and provider.version_in_url:
        say(f"The base URL is {provider.base_url}: softix adds what stands behind the version, and no /v1.")
    elif asked and asked != provider.base_url:
        say(f"The base URL is {provider.base_url}: softix adds /v1 and the rest of the path itself.")
    deployment = read_base_url(asked, provider.type).deployment if asked else None
    if deployment is not None:
        say(
            f"The deployment {deployment} is a model here: "
            f"softix models add NAME --provider {provider.name} --upstream-name {deployment}"
        )


async def tested(
    instance: Instance, name: str, base_url: str, kind: ProviderType, *, no_test: bool
) -> Mapping[str, Any] | None:
    """Requests the models of a provider that was just added or moved, and prints the result.

    A failed test is not an error of the command.
    """
    if no_test:
        return None
    from softix_proxy.operations.catalog import provider_probe
    from softix_proxy.upstream.probe import fetch

    is_settled = read_base_url(base_url, kind).is_settled if base_url else True
    slow_fetch = partial(fetch, ca_file=instance.settings.upstream.ca_file, timeout_s=_SLOW_TIMEOUT_S)
    try:
        probe = await provider_probe.settle(
            instance.storage, await instance.vault(), name, slow_fetch, is_settled=is_settled
        )
    except OperatorError as error:
        probe = provider_probe.ProviderProbe(False, None, 0, error.message, error.remedy)
    if probe is None:
        return None
    if probe.ok:
        say(f"Tested: {probe.url} lists {len(probe.models)} models.")
    else:
        advice = f"{probe.remedy}; then: " if probe.remedy else ""
        say(f"Not proven: {probe.message} ({advice}softix providers test {name})")
    return {"ok": probe.ok, "status": probe.status, "message": probe.message, "remedy": probe.remedy or None}

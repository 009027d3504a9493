"""How providers are shown, and the options that several of their commands have."""

from __future__ import annotations

from typing import Any

import click

from softix_proxy.cli.console import say
from softix_proxy.domain.clock import format_instant
from softix_proxy.domain.providers import Provider

hang_up_option = click.option(
    "--on-hang-up",
    type=click.Choice(["cancel", "drain"]),
    help="When a client leaves a stream: cancel the request, or read it to its end.",
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
    }


def tell_base_url(asked: str, provider: Provider) -> None:
    if asked and asked != provider.base_url:
        say(f"The base URL is {provider.base_url}: softix adds /v1 and the rest of the path itself.")

"""Defines the options that set the start and end of a span, and the time zone of its days."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from softix_proxy.domain.core.calendar import calendar
from softix_proxy.domain.core.clock import parse_instant

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance

Decorated = Callable[..., Any]
ZONE = click.option("--zone", metavar="ZONE", help="The time zone of days: an IANA name.  [default: billing.zone]")


def span_options(*, required: bool = False) -> Callable[[Decorated], Decorated]:
    """Adds `--from`, `--to` and `--zone` as `from_`, `to` and `zone`."""
    from_ = click.option("--from", "from_", required=required, metavar="DATE", help="The start: a date or an instant.")
    to = click.option(
        "--to", required=required, metavar="DATE", help="The end: a date or an instant. It is not included."
    )
    return lambda function: from_(to(ZONE(function)))


def zone_of(instance: Instance, asked: str | None) -> str:
    return asked or instance.settings.billing.zone


def instant_of(instance: Instance, text: str | None) -> int | None:
    """Returns the instant. A date begins at midnight in the zone of the setting. Raises BadInputError."""
    return None if text is None else parse_instant(text, calendar(zone_of(instance, None)).zone)

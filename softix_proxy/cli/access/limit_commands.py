"""The commands `softix keys limits` and `softix users limits`, which show and change limits in money and a minute."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from softix_proxy.cli.console.console import Command, instance, show
from softix_proxy.cli.metering.limit_options import terms_options
from softix_proxy.domain.access.keys import Key
from softix_proxy.domain.core.clock import PERIODS, CapPeriod
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.core.money import parse_usd
from softix_proxy.operations.access import caps, limit_changes
from softix_proxy.operations.access import keys as key_operations
from softix_proxy.operations.access import users as user_operations
from softix_proxy.operations.access.caps import AskedLimits
from softix_proxy.operations.access.limit_terms import AskedTerms

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance

_NONE = "none"
_MOST_DIGITS = 12
_RATES = ("rpm", "tpm", "concurrency")
_TERMS = ("zone", "reset_day", "alerts", "until")
_Function = Callable[..., Any]


_PARTS = (
    click.option("--tag", metavar="NAME=VALUE", help="Limit only requests with this tag, such as team=search."),
    click.option("--each-end-user", is_flag=True, help="Limit each end user whom requests name apart."),
)


def part_options(function: _Function) -> _Function:
    """Adds the options that limit a part of the requests."""
    for option in reversed(_PARTS):
        function = option(function)
    return function


def spend_options(function: _Function) -> _Function:
    options = (
        click.option("--model", metavar="PATTERN", help="Limit only these models: a pattern such as 'openai/*'."),
        click.option("--spend-day", metavar="USD", help="What may be spent in a day."),
        click.option("--spend-week", metavar="USD", help="What may be spent in a week."),
        click.option("--spend-month", metavar="USD", help="What may be spent in a month."),
        click.option("--spend-total", metavar="USD", help="What may be spent in all."),
        terms_options,
    )
    for option in reversed(options):
        function = option(function)
    return function


def parse_count(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise BadInputError(f"not a number for --{name}: {text!r}", "write a whole number, or none for no limit")
    return int(text)


def parse_rates(given: Mapping[str, str | None]) -> dict[str, int | None]:
    """Converts the given options of limits a minute. `none` removes a limit. Raises BadInputError."""
    texts = ((name, given.get(name)) for name in _RATES)
    return {name: None if text == _NONE else parse_count(name, text) for name, text in texts if text is not None}


def asked_limits(given: Mapping[str, Any]) -> AskedLimits:
    """Converts the given options. Raises BadInputError."""
    amounts: dict[CapPeriod, int | None] = {}
    for period in PERIODS:
        text = given.get(f"spend_{period}")
        if text is not None:
            amounts[period] = None if text == _NONE else parse_usd(text)
    terms = AskedTerms(**{name: given[name] for name in _TERMS if given.get(name) is not None})
    return AskedLimits(
        models=given.get("model") or "",
        amounts=amounts,
        terms=terms,
        rates=parse_rates(given),
        tag=given.get("tag") or "",
        end_users=bool(given.get("each_end_user")),
    )


@click.command("limits", cls=Command)
@click.argument("key")
@click.option("--rpm", metavar="N", help="The limit of requests per minute. With --model, only of these models.")
@click.option("--tpm", metavar="N", help="The limit of tokens per minute. With --model, only of these models.")
@click.option("--concurrency", metavar="N", help="The limit of concurrent requests, of all models.")
@part_options
@spend_options
@instance
async def limit_key(instance: Instance, key: str, **given: Any) -> None:
    """Show or change what a key may spend and how fast, from the next request on. The word `none` removes a limit.

    Without an option it shows the limits. With --until, an amount holds only until then. Example: softix keys limits
    ci-key --spend-month 50 --zone Europe/Berlin --reset-day 15 --alert 80,100
    """
    asked = asked_limits(given)
    if not asked.is_empty:
        await limit_changes.set_of_key(instance.storage, key, asked)
    found = (await key_operations.standing(instance.storage, key)).key
    fields = key_operations.as_fields(found, "")
    names = ("id", "name", *_RATES, "cap", "cap_period", "model_rates")
    show({**{name: fields[name] for name in names}, "limits": await limits_of(instance, found)})


async def limits_of(instance: Instance, key: Key) -> list[dict[str, Any]]:
    """Returns the caps of a key as the commands show them."""
    async with instance.storage.snapshot() as unit:
        return [caps.as_fields(each) for each in await caps.of_key(unit, key)]


@click.command("limits", cls=Command)
@click.argument("user")
@part_options
@spend_options
@instance
async def limit_user(instance: Instance, user: str, **given: Any) -> None:
    """Show or change what all keys of a user together may spend, from the next request on.

    Without an option it shows the limits. The word `none` removes one. With --until, an amount holds only until then.
    Example: softix users limits ada --spend-month 500 --alert 50,80,100
    """
    asked = asked_limits(given)
    if not asked.is_empty:
        await limit_changes.set_of_user(instance.storage, user, asked)
    async with instance.storage.snapshot() as unit:
        found = await user_operations.find(unit, user)
        listed = [caps.as_fields(each) for each in await caps.of_user(unit, found.id)]
        show({"id": found.public_id, "name": found.name, "limits": listed})

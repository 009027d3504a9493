"""The commands of `softix keys`, which issue, limit and revoke API keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import click

from softix_proxy.cli.access.limit_commands import limit_key, limits_of, parse_rates
from softix_proxy.cli.bulk.import_commands import import_keys
from softix_proxy.cli.console.console import (
    Group,
    confirm,
    instance,
    regions_option,
    say,
    show,
    show_all,
    split_regions,
    unknown_members_option,
)
from softix_proxy.cli.console.tables import TableLayout
from softix_proxy.domain.access.keys import KeyLimits
from softix_proxy.domain.access.users import UserStatus
from softix_proxy.domain.catalog.unknown_members import UnknownMembersRule
from softix_proxy.domain.core.clock import PERIODS, parse_duration_us
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.core.money import parse_usd
from softix_proxy.operations.access import keys as operations
from softix_proxy.operations.access import users
from softix_proxy.operations.access.templates import Explicit

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance

_NONE = "none"
_LIST = TableLayout(
    ("id", "prefix", "user", "name", "status", "cap", "expires_at", "created_at"),
    leave=("created_at", "prefix", "expires_at", "cap"),
)
_Function = Callable[..., Any]


def _limit_options(function: _Function) -> _Function:
    options = (
        click.option("--models", metavar="LIST", help="Allow only these models: patterns such as 'gpt-*,claude-*'."),
        click.option("--rpm", metavar="N", help="The limit of requests per minute. Reads count as well."),
        click.option(
            "--tpm",
            metavar="N",
            help="The limit of tokens per minute. Until an answer ends, all output that may come counts.",
        ),
        click.option("--concurrency", metavar="N", help="The limit of concurrent requests."),
        click.option("--cap", metavar="USD", help="The spending cap for one period."),
        click.option("--cap-period", type=click.Choice(PERIODS), help="The period of the cap.  [default: total]"),
        click.option("--expires", metavar="DURATION", help="The time until the key expires, for example 30d."),
        click.option(
            "--allow-ip",
            metavar="CIDR",
            multiple=True,
            help="A network that may use the key. Repeat it for more networks.",
        ),
        regions_option,
        unknown_members_option,
        click.option(
            "--tag",
            "tags",
            metavar="NAME=VALUE",
            multiple=True,
            help="A tag of its usage, for example team=search. Repeat it for more; none removes all.",
        ),
        click.option(
            "--end-users/--no-end-users",
            default=None,
            help="Keep the user whom a request names with its usage, as a digest.",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


def _parse_limits(given: dict[str, Any]) -> dict[str, Any]:
    """Converts the given options to fields of `KeyLimits`. `none` removes a limit. Raises BadInputError."""
    parsed: dict[str, Any] = {**parse_rates(given)}
    if given["cap"] is not None:
        parsed["cap_pico"] = None if given["cap"] == _NONE else parse_usd(given["cap"])
    if given["cap_period"] is not None:
        parsed["cap_period"] = given["cap_period"]
    return parsed


def _explicit(given: dict[str, Any]) -> Explicit:
    """Returns the limits that the person names, also those that are to be none."""
    periods = PERIODS if given["cap"] == _NONE else ()
    return Explicit([name for name in ("rpm", "tpm", "concurrency") if given[name] is not None], periods)


def _parse_expiry(text: str | None) -> int | None:
    """Returns the time from now on in microseconds, or None if the key never expires. Raises BadInputError."""
    if text is None or text == _NONE:
        return None
    expires_in_us = parse_duration_us(text)
    if not expires_in_us:
        raise BadInputError("a key that has expired already is of no use", "write for example --expires 30d")
    return expires_in_us


def _split(models: str) -> tuple[str, ...]:
    """Splits a list of models.

    `none` removes the restriction. An empty list does not, because an unset variable of a script would give one.
    """
    patterns = tuple(part.strip() for part in models.split(",") if part.strip())
    if not patterns:
        raise BadInputError("--models is empty", "name models, or write none for no restriction")
    return () if patterns == (_NONE,) else patterns


@click.group(cls=Group)
def keys() -> None:
    """Issue, limit, rotate and revoke API keys.

    Example: softix keys create --user ada --cap 20.00 --cap-period month
    """


@keys.command()
@click.option("--user", required=True, help="The owner of the key: id, name or e-mail.")
@click.option("--name", default="", help="A name by which you recognise the key.")
@click.option(
    "--template", metavar="NAME", help="Give it the limits of this template, or none.  [default: the default]"
)
@_limit_options
@instance
async def create(
    instance: Instance,
    user: str,
    name: str,
    template: str | None,
    models: str | None,
    expires: str | None,
    allow_ip: tuple[str, ...],
    regions: str | None,
    unknown_members: UnknownMembersRule | Literal["none"] | None,
    tags: tuple[str, ...],
    end_users: bool | None,
    **given: Any,
) -> None:
    """Issue a key. It is shown only once. Example: softix keys create --user ada --rpm 60 --expires 30d"""
    if given["cap_period"] is not None and given["cap"] is None:
        raise BadInputError("--cap-period without --cap limits nothing", "add for example --cap 20.00")
    issued = await operations.create(
        instance.storage,
        await instance.vault(),
        user=user,
        label=name,
        models=() if models is None else _split(models),
        allow_ip=allow_ip,
        limits=KeyLimits(**_parse_limits(given)),
        expires_in_us=_parse_expiry(expires),
        regions=split_regions(regions) or (),
        unknown_members=None if unknown_members == "none" else unknown_members,
        tags=() if tags == (_NONE,) else tags,
        end_users=bool(end_users),
        template=template,
        explicit=_explicit(given),
    )
    await _show_issued(instance, issued)


@keys.command("list")
@click.option("--user", help="Only keys of this user.")
@instance
async def list_(instance: Instance, user: str | None) -> None:
    """List keys. Example: softix keys list --user ada"""
    owners = {owner.id: owner for owner in await users.list_all(instance.storage)}
    rows = []
    for key in await operations.list_all(instance.storage, user):
        owner = owners[key.user_id]
        rows.append({**operations.as_fields(key, owner.public_id), "user": owner.name})
    show_all(rows, _LIST)


@keys.command("show")
@click.argument("key")
@instance
async def show_(instance: Instance, key: str) -> None:
    """Show one key with its limits and spend. KEY is its id, prefix or name.

    Example: softix keys show key_0123456789abcdef
    """
    show(await _shown(instance, key))


@keys.command()
@click.argument("key")
@click.option("--name", help="A name by which you recognise the key.")
@_limit_options
@instance
async def update(
    instance: Instance,
    key: str,
    name: str | None,
    models: str | None,
    expires: str | None,
    allow_ip: tuple[str, ...],
    regions: str | None,
    unknown_members: UnknownMembersRule | Literal["none"] | None,
    tags: tuple[str, ...],
    end_users: bool | None,
    **given: Any,
) -> None:
    """Change a key's limits. The word `none` removes one. Example: softix keys update ci-key --rpm 120 --cap none"""
    changed = await operations.update(
        instance.storage,
        key,
        label=name,
        models=None if models is None else _split(models),
        allow_ip=None if not allow_ip else () if allow_ip == (_NONE,) else allow_ip,
        limits=_parse_limits(given),
        expires_in_us=_parse_expiry(expires),
        never_expires=expires == _NONE,
        regions=split_regions(regions),
        unknown_members="" if unknown_members == "none" else unknown_members,
        tags=None if not tags else () if tags == (_NONE,) else tags,
        end_users=end_users,
    )
    show(await _shown(instance, changed.public_id))


@keys.command()
@click.argument("key")
@click.option("--yes", is_flag=True, help="Do not ask.")
@instance
async def revoke(instance: Instance, key: str, yes: bool) -> None:
    """Revoke a key for good, from the next request on. Example: softix keys revoke ci-key --yes"""
    found = (await operations.standing(instance.storage, key)).key
    confirm(f"Revoke {found.prefix}… ({found.label or found.public_id}) for good?", yes)
    revoked = await operations.revoke(instance.storage, found.public_id)
    owner = await users.show_number(instance.storage, revoked.user_id)
    show(operations.as_fields(revoked, owner.public_id))


@keys.command()
@click.argument("key")
@click.option("--grace", metavar="DURATION", help="The time for which the old key still works, for example 24h.")
@instance
async def rotate(instance: Instance, key: str, grace: str | None) -> None:
    """Replace a key by a new one with the same limits and spend. No spending cap starts again.

    During the grace period, both keys may spend what the cap leaves. Example: softix keys rotate ci-key --grace 24h
    """
    grace_us = parse_duration_us(grace) if grace else 0
    issued = await operations.rotate(instance.storage, await instance.vault(), key, grace_us)
    say(f"The old key works for {grace} more." if grace_us else "The old key is revoked.")
    await _show_issued(instance, issued)


async def _shown(instance: Instance, key: str) -> dict[str, Any]:
    """Returns a key with its limits and spend as the commands show it."""
    standing = await operations.standing(instance.storage, key)
    fields = operations.as_fields(standing.key, standing.user.public_id, standing.spend)
    return {**fields, "limits": await limits_of(instance, standing.key)}


async def _show_issued(instance: Instance, issued: operations.IssuedKey) -> None:
    standing = await operations.standing(instance.storage, issued.key.public_id)
    owner = standing.user
    if owner.status is UserStatus.DISABLED:
        say(f"{owner.name} is disabled: no key works before: softix users enable {owner.public_id}")
    fields = await _shown(instance, standing.key.public_id)
    show(
        {"id": fields["id"], "key": issued.text, **{name: fields[name] for name in fields if name != "id"}},
        "Keep the key now: it is not shown again.",
    )


keys.add_command(import_keys)
keys.add_command(limit_key)

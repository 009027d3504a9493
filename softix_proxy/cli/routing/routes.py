"""The commands of `softix routes`, which manage names for several models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from softix_proxy.cli.console.console import Group, confirm, instance, show, show_all
from softix_proxy.cli.console.tables import TableLayout
from softix_proxy.domain.core.clock import format_instant
from softix_proxy.domain.routing.routes import RouteStatus, Timeouts
from softix_proxy.operations.routing import routes as operations

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance

_NONE = "none"
_LIST = TableLayout(
    ("name", "written", "retries", "sticky", "status"), leave=("sticky", "retries", "status"), prose=("written",)
)
_EXPLAINED = TableLayout(
    ("target", "place", "weight", "region", "taken", "reason"), leave=("weight", "region"), prose=("reason",)
)
_HEALTH = TableLayout(
    (
        "target",
        "breaker",
        "latency_ms",
        "error_rate",
        "requests",
        "failures",
        "in_flight",
        "last_error",
        "reported_at",
    ),
    leave=("reported_at", "requests", "failures", "in_flight", "last_error"),
)
_TIMEOUTS = {
    "connect": ("connect_ms", "The time to reach a provider."),
    "first-byte": ("first_byte_ms", "The time until an answer begins. After it, the next target is asked."),
    "idle": ("idle_ms", "The longest pause within an answer."),
}


def as_fields(shown: operations.RouteDetails) -> dict[str, Any]:
    route = shown.route
    return {
        "id": route.public_id,
        "name": route.name,
        "targets": [_target_fields(target) for target in shown.targets],
        "retries": route.retries,
        "sticky": route.sticky,
        **_timeout_fields(route.timeouts),
        "status": route.status.value,
        "created_at": format_instant(route.created_at_us),
    }


def _target_fields(target: operations.RouteTarget) -> dict[str, Any]:
    leg = target.leg
    return {
        "target": target.name,
        "tier": leg.tier + 1,
        "weight": leg.weight,
        "concurrency": leg.concurrency,
        **_timeout_fields(leg.timeouts),
    }


def _timeout_fields(timeouts: Timeouts) -> dict[str, int | None]:
    return {field: getattr(timeouts, field) for field, _ in _TIMEOUTS.values()}


def as_text(targets: Sequence[operations.RouteTarget]) -> str:
    """Returns the targets in the form that `set` reads."""
    parts, weighted = [], len({target.leg.weight for target in targets}) > 1
    for number, target in enumerate(targets):
        leg = target.leg
        words = ["then"] if number and leg.tier > targets[number - 1].leg.tier else []
        words.append(target.name)
        words += [f"weight {leg.weight}"] if weighted else []
        words += [f"concurrency {leg.concurrency}"] if leg.concurrency else []
        times = {option: getattr(leg.timeouts, field) for option, (field, _) in _TIMEOUTS.items()}
        words += [f"{option} {ms}ms" for option, ms in times.items() if ms is not None]
        parts.append(" ".join(words))
    return ", ".join(parts)


def _timeout_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for name, (field, words) in reversed(_TIMEOUTS.items()):
        text = f"{words} The word `none` restores the setting."
        function = click.option(f"--{name}-timeout", field, metavar="DURATION", help=text)(function)
    return function


@click.group(cls=Group)
def routes() -> None:
    """Set up names that stand for several models, and see how these perform.

    Example: softix routes set gpt-best openai/gpt-5, then azure/gpt-5
    """


@routes.command("set")
@click.argument("name")
@click.argument("targets", nargs=-1)
@click.option("--retries", type=click.IntRange(0, 10), help="The number of further rounds after a pause.  [default: 1]")
@click.option(
    "--sticky/--no-sticky", default=None, help="Keep a conversation at the target that has its prompt in the cache."
)
@_timeout_options
@instance
async def set_(
    instance: Instance, name: str, targets: tuple[str, ...], retries: int | None, sticky: bool | None, **timeouts: str
) -> None:
    """Create or change a route. Its targets share the requests by weight.

    Targets after `then` are asked only if all earlier ones failed or are unavailable.
    Example: softix routes set gpt-best openai/gpt-5 weight 3, azure/gpt-5 weight 1, then anthropic/claude-opus-4-1
    """
    shown = await operations.set_route(
        instance.storage,
        name,
        targets=" ".join(targets) or None,
        retries=retries,
        sticky=sticky,
        timeouts={
            field: None if text == _NONE else operations.parse_timeout_ms(text)
            for field, text in timeouts.items()
            if text is not None
        },
    )
    show(as_fields(shown), f"{name} = {as_text(shown.targets)}")


@routes.command("list")
@instance
async def list_(instance: Instance) -> None:
    """List all routes. Example: softix routes list"""
    listed = await operations.list_all(instance.storage)
    rows = [as_fields(shown) | {"written": as_text(shown.targets)} for shown in listed]
    show_all(rows, _LIST)


@routes.command("show")
@click.argument("name")
@instance
async def show_(instance: Instance, name: str) -> None:
    """Show one route. Example: softix routes show gpt-best"""
    show(as_fields(await operations.show(instance.storage, name)))


@routes.command()
@click.argument("name")
@instance
async def disable(instance: Instance, name: str) -> None:
    """Stop using a route from the next request on. Example: softix routes disable gpt-best"""
    show(as_fields(await operations.set_status(instance.storage, name, RouteStatus.DISABLED)))


@routes.command()
@click.argument("name")
@instance
async def enable(instance: Instance, name: str) -> None:
    """Use a disabled route again. Example: softix routes enable gpt-best"""
    show(as_fields(await operations.set_status(instance.storage, name, RouteStatus.ACTIVE)))


@routes.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@instance
async def remove(instance: Instance, name: str, yes: bool) -> None:
    """Remove a route. Example: softix routes remove gpt-best --yes"""
    await operations.show(instance.storage, name)
    confirm(f"Remove the route {name}?", yes)
    show(as_fields(await operations.remove(instance.storage, name)), f"Removed {name}; its name is free again.")


@routes.command()
@click.option(
    "--model", required=True, metavar="MODEL", help="The model that is asked for: a route, `model`, `provider/model`."
)
@click.option("--user", required=True, metavar="USER", help="The user who asks: id, name or e-mail.")
@click.option("--key", metavar="KEY", help="The key.  [default: one that may use every model]")
@click.option(
    "--endpoint",
    type=click.Choice(list(operations.ASKED_BY)),
    help="The endpoint, which sets the dialect.  [default: that of each target]",
)
@instance
async def explain(instance: Instance, model: str, user: str, key: str | None, endpoint: str | None) -> None:
    """Show which targets a request would have, and why others are left out. It sends nothing.

    Example: softix routes explain --model gpt-best --user ada
    """
    found = await operations.explain(instance.storage, model=model, user=user, key=key, endpoint=endpoint)
    rows = [
        {
            **_target_fields(candidate.target),
            "region": candidate.target.provider.region,
            "taken": candidate.drop is None,
            "reason": candidate.drop.value if candidate.drop else None,
            "place": candidate.place,
            "price_version": candidate.rate.price_id if candidate.rate else None,
        }
        for candidate in found
    ]
    show_all(rows, _EXPLAINED)


@routes.command()
@instance
async def health(instance: Instance) -> None:
    """Show how targets perform: circuit breakers, latency and error rates.

    The figures are what the running daemons reported in the last seconds. Example: softix routes health
    """
    now_us = instance.clock.now_us()
    found = await operations.health(instance.storage)
    show_all((operations.health_fields(each, now_us) for each in found), _HEALTH)

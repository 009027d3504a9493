"""softix routes: names that stand for several models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from softix_proxy.cli.console import Group, confirm, office, show, show_all
from softix_proxy.cli.tables import TableLayout
from softix_proxy.domain.clock import SECOND_US, format_instant
from softix_proxy.domain.health import Vitals
from softix_proxy.domain.routes import RouteStatus, Timeouts
from softix_proxy.operations import routes as operations

if TYPE_CHECKING:
    from softix_proxy.assembly import Office

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
    "connect": ("connect_ms", "Time to reach a provider."),
    "first-byte": ("first_byte_ms", "Time until an answer begins; then the next target is asked."),
    "idle": ("idle_ms", "Time without a byte within an answer."),
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
    """As it is written for `set`."""
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
        text = f"{words} `none`: as the settings say."
        function = click.option(f"--{name}-timeout", field, metavar="DURATION", help=text)(function)
    return function


@click.group(cls=Group)
def routes() -> None:
    """Names that stand for several models. Example: softix routes set gpt-best openai/gpt-5, then azure/gpt-5"""


@routes.command("set")
@click.argument("name")
@click.argument("targets", nargs=-1)
@click.option("--retries", type=click.IntRange(0, 10), help="Further rounds after a pause.  [default: 1]")
@click.option("--sticky/--no-sticky", default=None, help="Keep a conversation where its prompt is cached.")
@_timeout_options
@office
async def set_(
    office: Office, name: str, targets: tuple[str, ...], retries: int | None, sticky: bool | None, **timeouts: str
) -> None:
    """Make a route, or change one. Targets share the requests by weight; after `then` come those that stand in.

    Example: softix routes set gpt-best openai/gpt-5 weight 3, azure/gpt-5 weight 1, then anthropic/claude-opus-4-1
    """
    shown = await operations.set_route(
        office.storage,
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
@office
async def list_(office: Office) -> None:
    """List all routes. Example: softix routes list"""
    listed = await operations.list_all(office.storage)
    rows = [as_fields(shown) | {"written": as_text(shown.targets)} for shown in listed]
    show_all(rows, _LIST)


@routes.command("show")
@click.argument("name")
@office
async def show_(office: Office, name: str) -> None:
    """Show one route. Example: softix routes show gpt-best"""
    show(as_fields(await operations.show(office.storage, name)))


@routes.command()
@click.argument("name")
@office
async def disable(office: Office, name: str) -> None:
    """Let a name stand for no route from the next request on. Example: softix routes disable gpt-best"""
    show(as_fields(await operations.set_status(office.storage, name, RouteStatus.DISABLED)))


@routes.command()
@click.argument("name")
@office
async def enable(office: Office, name: str) -> None:
    """Use a disabled route again. Example: softix routes enable gpt-best"""
    show(as_fields(await operations.set_status(office.storage, name, RouteStatus.ACTIVE)))


@routes.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@office
async def remove(office: Office, name: str, yes: bool) -> None:
    """Take a route away. Example: softix routes remove gpt-best --yes"""
    await operations.show(office.storage, name)
    confirm(f"Remove the route {name}?", yes)
    show(as_fields(await operations.remove(office.storage, name)), f"Removed {name}; its name is free again.")


@routes.command()
@click.option("--model", required=True, metavar="MODEL", help="What is asked for: a route, `model`, `provider/model`.")
@click.option("--user", required=True, metavar="USER", help="Who asks: id, name or e-mail.")
@click.option("--key", metavar="KEY", help="With which key; without, one that may use every model.")
@click.option(
    "--endpoint", type=click.Choice(list(operations.ASKED_BY)), help="In which dialect; without, in each one's own."
)
@office
async def explain(office: Office, model: str, user: str, key: str | None, endpoint: str | None) -> None:
    """Show which targets a request would have, and why others are left out; nothing is sent.

    Example: softix routes explain --model gpt-best --user ada
    """
    found = await operations.explain(office.storage, model=model, user=user, key=key, endpoint=endpoint)
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
@office
async def health(office: Office) -> None:
    """Show how targets fare: breakers, latency, error rates, as the running daemons told in the last seconds.

    Example: softix routes health
    """
    now_us = office.clock.now_us()
    rows = [
        {
            "target": found.target.name,
            "slot": found.reported.slot,
            **vitals_fields(found.reported.vitals, now_us),
            "reported_at": format_instant(found.reported.reported_at_us),
        }
        for found in await operations.health(office.storage)
    ]
    show_all(rows, _HEALTH)


def vitals_fields(vitals: Vitals, now_us: int) -> dict[str, Any]:
    breaker = vitals.breaker
    return {
        "breaker": breaker.state(now_us),
        "breaker_until": format_instant(breaker.open_until_us or None),
        "limited_s": max(vitals.limited_until_us - now_us, 0) // SECOND_US,
        "latency_ms": round(vitals.latency_us / 1000) if vitals.latency_us else None,
        "error_rate": f"{vitals.errors_ppm / 10_000:.1f}%",
        "requests": vitals.requests,
        "failures": vitals.failures,
        "in_flight": vitals.in_flight,
        "last_error": vitals.last_error,
    }

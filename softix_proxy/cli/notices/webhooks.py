"""The commands of `softix webhooks`, which say where events go, and show and replay their deliveries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from softix_proxy.cli.console.console import COUNT, Group, confirm, instance, invocation, say, show, show_all
from softix_proxy.cli.console.tables import TableLayout
from softix_proxy.domain.core.clock import parse_duration_us, parse_instant
from softix_proxy.domain.core.errors import BadInputError, FailureError
from softix_proxy.operations.notices import webhook_delivery, webhook_faults
from softix_proxy.operations.notices import webhooks as operations

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance

_LIST = TableLayout(
    ("id", "url", "user", "events", "status", "waiting", "failed", "created_at"),
    leave=("created_at", "events", "user", "failed", "waiting"),
)
_DELIVERIES = TableLayout(
    ("id", "event", "kind", "at", "state", "attempts", "status_code", "error", "next_at"),
    leave=("event", "next_at", "at", "attempts", "status_code", "error"),
)
_KEEP_IT = "Keep this secret where the receiver reads it. It is not shown again."


@click.group(cls=Group)
def webhooks() -> None:
    """Set up programs that are told of events, such as low balances, by signed webhooks.

    Example: softix webhooks add https://example.org/softix --events balance.low,cap.reached
    """


@webhooks.command()
@click.argument("url")
@click.option("--events", metavar="LIST", help="Only these kinds, for example balance.low,cap.reached.  [default: all]")
@click.option("--user", help="Only events of this organisation: id, name or e-mail.  [default: the whole instance]")
@click.option("--allow-private", is_flag=True, help="Allow an address of this machine or of a private network.")
@instance
async def add(instance: Instance, url: str, events: str | None, user: str | None, allow_private: bool) -> None:
    """Add an endpoint. Its secret, with which events are signed, is shown only once.

    Example: softix webhooks add https://example.org/softix --events balance.low,cap.reached
    """
    kinds = () if events is None else tuple(part.strip() for part in events.split(",") if part.strip())
    if events is not None and not kinds:
        raise BadInputError("--events is empty", "name kinds of events, or leave it out for all")
    vault = await instance.vault()
    made = await operations.add(instance.storage, vault, url, kinds=kinds, user=user, allow_private=allow_private)
    details, _ = await operations.show(instance.storage, made.endpoint.public_id, 1)
    show({**operations.as_fields(details), "secret": made.secret}, _KEEP_IT)
    say(f"Next: softix webhooks test {made.endpoint.public_id}")


@webhooks.command("list")
@instance
async def list_(instance: Instance) -> None:
    """List endpoints. One whose events did not arrive for three days is failing. Example: softix webhooks list"""
    show_all([operations.as_fields(each) for each in await operations.list_all(instance.storage)], _LIST)


@webhooks.command("show")
@click.argument("endpoint")
@click.option("--limit", type=COUNT, default=10, show_default=True, help="The most deliveries, the newest first.")
@instance
async def show_(instance: Instance, endpoint: str, limit: int) -> None:
    """Show an endpoint with its last deliveries. Example: softix webhooks show whk_0123456789abcdef"""
    details, listed = await operations.show(instance.storage, endpoint, limit)
    deliveries = [operations.delivery_fields(each) for each in listed]
    if invocation().as_json:
        show({**operations.as_fields(details), "deliveries": deliveries})
        return
    show(operations.as_fields(details))
    show_all(deliveries, _DELIVERIES)


@webhooks.command()
@click.argument("endpoint")
@instance
async def test(instance: Instance, endpoint: str) -> None:
    """Test an endpoint with one signed event, which is sent now. Example: softix webhooks test whk_0123456789abcdef"""
    from softix_proxy import assembly

    post, began_ns = assembly.webhook_post(instance.settings), instance.clock.monotonic_ns()
    event, answer = await webhook_delivery.send_test(instance.storage, await instance.vault(), post, endpoint)
    if answer.fault is not None:
        raise FailureError(*webhook_faults.explained(answer))
    took_ms = (instance.clock.monotonic_ns() - began_ns) // 1_000_000
    fields = {"id": endpoint, "event": event, "status_code": answer.status_code, "latency_ms": took_ms}
    show(fields, "The receiver accepted the event.")


@webhooks.command()
@click.argument("reference", required=False, metavar="[DELIVERY | ENDPOINT]")
@click.option("--since", metavar="DATE", help="Replay all events since then that did not arrive.")
@instance
async def replay(instance: Instance, reference: str | None, since: str | None) -> None:
    """Replay one delivery, or with --since all that failed, to one endpoint or to all. The daemon sends them.

    An event keeps its id, so a receiver that had it can drop it. Example: softix webhooks replay --since 2026-12-01
    """
    if since is not None:
        count = await operations.replay_failed(instance.storage, parse_instant(since), reference)
        show({"replayed": count}, f"{count} deliver{'y waits' if count == 1 else 'ies wait'} to be sent again.")
    elif reference is None:
        raise BadInputError("what is to be replayed?", "name a delivery, or give --since")
    else:
        await operations.replay(instance.storage, reference)
        show({"replayed": 1}, f"{reference} waits to be sent again.")


@webhooks.command()
@click.argument("endpoint")
@instance
async def enable(instance: Instance, endpoint: str) -> None:
    """Enable an endpoint. It is told of events from now on. Example: softix webhooks enable whk_0123456789abcdef"""
    await operations.enable(instance.storage, endpoint)
    await _show_changed(instance, endpoint)


@webhooks.command()
@click.argument("endpoint")
@instance
async def disable(instance: Instance, endpoint: str) -> None:
    """Disable an endpoint. What waits for it is given up, and can be replayed.

    Example: softix webhooks disable whk_0123456789abcdef
    """
    await operations.disable(instance.storage, endpoint)
    await _show_changed(instance, endpoint)


@webhooks.command("rotate-secret")
@click.argument("endpoint")
@click.option(
    "--grace", default="24h", show_default=True, metavar="DURATION", help="How long the old secret signs as well."
)
@instance
async def rotate_secret(instance: Instance, endpoint: str, grace: str) -> None:
    """Replace the secret of an endpoint. The new one is shown only once, and both sign until the grace is over.

    Example: softix webhooks rotate-secret whk_0123456789abcdef --grace 24h
    """
    made = await operations.rotate_secret(instance.storage, await instance.vault(), endpoint, parse_duration_us(grace))
    details, _ = await operations.show(instance.storage, endpoint, 1)
    show({**operations.as_fields(details), "secret": made.secret}, _KEEP_IT)


@webhooks.command()
@click.argument("endpoint")
@click.option("--yes", is_flag=True, help="Do not ask.")
@instance
async def remove(instance: Instance, endpoint: str, yes: bool) -> None:
    """Remove an endpoint with its deliveries. Example: softix webhooks remove whk_0123456789abcdef --yes"""
    await operations.show(instance.storage, endpoint, 1)
    confirm(f"Remove the endpoint {endpoint} with all that waits for it?", yes)
    removed = await operations.remove(instance.storage, endpoint)
    show({"id": removed.public_id, "removed": True}, "Removed.")


async def _show_changed(instance: Instance, endpoint: str) -> None:
    details, _ = await operations.show(instance.storage, endpoint, 1)
    show(operations.as_fields(details))

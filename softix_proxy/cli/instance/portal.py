"""The command `softix portal`, which serves the portal in a process of its own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import click

from softix_proxy.cli.admin_api.late_commands import admin_commands
from softix_proxy.cli.console.console import Command, echo_json, invocation, say
from softix_proxy.cli.instance import serve, signals

if TYPE_CHECKING:
    from softix_proxy.settings import Settings

log = logging.getLogger("softix.portal")


@click.command(cls=Command)
@click.option("--host", help="The address to listen on.  [default: portal.host]")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="The port to listen on. 0 takes a free one.  [default: portal.port]"
)
@click.option("--public-url", help="The address by which browsers reach it.  [default: portal.public_url]")
def portal(host: str | None, port: int | None, public_url: str | None) -> None:
    """Run the portal alone, where people sign in, make keys and see their usage.

    It needs the database of the proxy, and not the proxy itself. `softix serve` runs both if portal.enabled is set.
    Signals do what they do for `softix serve`. With --json, one line on standard output says when and where it serves.
    Example: softix portal --public-url http://localhost:8485
    """
    from softix_proxy import assembly

    given = invocation()

    def read() -> Settings:
        settings = given.settings()
        portal = replace(
            settings.portal,
            host=settings.portal.host if host is None else host,
            port=settings.portal.port if port is None else port,
            public_url=settings.portal.public_url if public_url is None else public_url,
        )
        return replace(settings, portal=portal)

    signals.until_handled()
    settings = read()
    assembly.prepare_process(settings)
    with asyncio.Runner(loop_factory=assembly.loop_factory()) as runner:
        runner.run(_until_stopped(settings, read))


async def _until_stopped(settings: Settings, read: Callable[[], Settings]) -> None:
    from softix_proxy.assembly.portal_serving import serving_portal

    told = signals.Signals()
    async with serving_portal(settings, admin_commands) as running:
        told.when_to_reload(partial(serve.reload, running, read))
        if invocation().as_json:
            echo_json({"event": "serving", "portal_url": running.url})
        else:
            say(f"The portal serves at {running.url}")
        await told.stop.wait()
        say("Stopping; a second signal cuts what still runs.")
        cut = await running.stop(told.stop_now)
    say("Stopped." if not cut else f"Stopped. Cut: {cut}.")

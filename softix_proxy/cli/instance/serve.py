"""The command `softix serve`, which runs the proxy until it is stopped."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import click

from softix_proxy.cli.admin_api.late_commands import admin_commands
from softix_proxy.cli.console.console import Command, echo_json, invocation, say
from softix_proxy.cli.instance import signals
from softix_proxy.domain.core.errors import OperatorError

if TYPE_CHECKING:
    from softix_proxy.assembly.daemon import Serving
    from softix_proxy.assembly.portal_serving import PortalServing
    from softix_proxy.settings import Settings

log = logging.getLogger("softix.daemon")


@click.command(cls=Command)
@click.option("--host", help="The address to listen on.  [default: server.host]")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="The port to listen on. 0 takes a free one.  [default: server.port]"
)
def serve(host: str | None, port: int | None) -> None:
    """Run the proxy.

    At SIGTERM or Ctrl-C it stops when running requests have ended. A second one cuts them off. SIGHUP reloads the
    configuration. With --json, one line on standard output says when and where it serves.
    Example: softix serve --port 8484
    """
    given = invocation()

    def read() -> Settings:
        settings = given.settings()
        server = replace(
            settings.server,
            host=settings.server.host if host is None else host,
            port=settings.server.port if port is None else port,
        )
        return replace(settings, server=server)

    run(read)


def run(read: Callable[[], Settings]) -> None:
    """Runs the daemon and returns when it has stopped. Raises FailureError if it cannot start."""
    from softix_proxy import assembly

    signals.until_handled()
    settings = read()
    assembly.prepare_process(settings)
    if assembly.needs_migration(settings):
        _migrate(settings)
    with asyncio.Runner(loop_factory=assembly.loop_factory()) as runner:
        runner.run(until_stopped(settings, _announce, read))


def _migrate(settings: Settings) -> None:
    from softix_proxy import assembly
    from softix_proxy.cli.instance.migrate import sentence

    done = assembly.migrate(settings)
    if not done.applied:  # another process has migrated it first
        return
    log.info("migrated the database to schema %d; the backup is %s", done.schema, done.backup)
    say(sentence(done))


async def until_stopped(
    settings: Settings, announce: Callable[[Serving], Awaitable[None]], read: Callable[[], Settings]
) -> None:
    """Serves until a signal stops it.

    `announce` gets the daemon once requests are accepted. `read` reads the settings anew.
    """
    from softix_proxy import assembly

    told = signals.Signals()
    async with assembly.serving(settings, admin_commands) as daemon:
        told.when_to_reload(partial(reload, daemon, read))
        await announce(daemon)
        await told.stop.wait()
        say("Stopping; a second signal cuts what still runs.")
        cut = await daemon.stop(told.stop_now)
    say("Stopped." if not cut else f"Stopped. Cut and settled: {cut}.")


def reload(daemon: Serving | PortalServing, read: Callable[[], Settings]) -> None:
    """Applies the settings that `read` returns. If they cannot be read, everything stays as it was."""
    try:
        done = daemon.reload(read())
    except OperatorError as error:
        log.error("nothing was reloaded, the configuration of before goes on: %s", error.message)
        return
    log.info("reloaded the configuration; changed: %s", ", ".join(done.taken) or "nothing")
    if done.at_the_next_start:
        log.warning("changed, but read at the start only; restart softix for: %s", ", ".join(done.at_the_next_start))


async def _announce(daemon: Serving) -> None:
    url = daemon.url
    people = None if daemon.portal is None else daemon.portal.url
    if invocation().as_json:
        echo_json({"event": "serving", "url": url, **({} if people is None else {"portal_url": people})})
        return
    say(f"softix serves at {url} (base URL of OpenAI's SDKs: {url}/v1, of Anthropic's: {url})")
    if people is not None:
        say(f"The portal serves at {people}")

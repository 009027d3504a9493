"""softix serve: run the proxy until it is told to stop."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from softix_proxy.cli.console import Command, invocation, say
from softix_proxy.cli.migrate import sentence

if TYPE_CHECKING:
    from softix_proxy.settings import Settings

log = logging.getLogger("softix.daemon")


@click.command(cls=Command)
@click.option("--host", help="The address to listen on.  [default: server.host]")
@click.option("--port", type=click.IntRange(0, 65535), help="The port; 0 takes a free one.  [default: server.port]")
def serve(host: str | None, port: int | None) -> None:
    """Run the proxy. Stops at SIGTERM or Ctrl-C once running requests have ended; a second one cuts them.

    With --json, one line on standard output tells when it serves, and where. Example: softix serve --port 8484
    """
    settings = invocation().settings()
    server = replace(
        settings.server,
        host=settings.server.host if host is None else host,
        port=settings.server.port if port is None else port,
    )
    run(replace(settings, server=server))


def run(settings: Settings) -> None:
    """Returns when the daemon has stopped. Raises FailureError where it cannot start."""
    from softix_proxy import assembly

    assembly.prepare_process(settings)
    done = assembly.migrate(settings)
    if done.applied:
        log.info("migrated the database to schema %d; the backup is %s", done.schema, done.backup)
        say(sentence(done))
    with asyncio.Runner(loop_factory=assembly.loop_factory()) as runner:
        runner.run(until_stopped(settings, _announce))


async def until_stopped(settings: Settings, announce: Callable[[str], Awaitable[None]]) -> None:
    """Serves until SIGTERM or SIGINT; `announce` gets the base URL once requests are taken."""
    from softix_proxy import assembly

    asked, asked_again = asyncio.Event(), asyncio.Event()

    def on_signal() -> None:
        (asked_again if asked.is_set() else asked).set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    async with assembly.serving(settings) as daemon:
        await announce(daemon.url)
        await asked.wait()
        say("Stopping; a second signal cuts what still runs.")
        cut = await daemon.stop(settings.server.drain_s, asked_again)
    say("Stopped." if not cut else f"Stopped. Cut and settled: {cut}.")


async def _announce(url: str) -> None:
    if invocation().as_json:
        click.echo(json.dumps({"event": "serving", "url": url}))
    else:
        say(f"softix serves at {url} (base URL of OpenAI's SDKs: {url}/v1, of Anthropic's: {url})")

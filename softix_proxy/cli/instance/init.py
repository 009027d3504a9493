"""The command `softix init`, which makes an instance in an empty folder."""

from __future__ import annotations

import asyncio

import click

from softix_proxy.cli.console.console import Command, invocation, say, show
from softix_proxy.cli.instance.config import place_fields


@click.command(cls=Command)
def init() -> None:
    """Create the data directory, the database and the master key. What exists stays as it is.

    Example: softix --data-dir /var/lib/softix init
    """
    from softix_proxy import assembly

    settings = invocation().settings()
    done = asyncio.run(assembly.initialise(settings))
    show(
        {
            "data_dir": str(done.data_dir),
            **place_fields(settings.paths),
            "database": str(done.database),
            "master_key": done.master_key,
            "made": list(done.made),
            "migration_pending": done.migration_pending,
        },
        "The instance is ready." if done.made else "The instance was ready before; nothing was changed.",
    )
    if "master_key" in done.made:
        say("Keep a copy of the master key elsewhere: without it no provider's key and no API key works again.")
    if done.migration_pending:
        say("The database is of an older schema. softix serve brings it up to date, or do it now: softix migrate")
        return
    for line in (
        "Next: softix providers add openai --type openai --key-stdin",
        "      softix users create ada --email ada@example.org",
        "      softix serve",
    ):
        say(line)

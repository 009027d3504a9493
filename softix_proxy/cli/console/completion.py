"""The command `softix completion`, which prints what a shell needs to complete softix's commands."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from softix_proxy.cli.console.console import Command, echo, invocation, show


@click.command(cls=Command)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script for a shell. Example: eval "$(softix completion bash)" """
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"{shell} is not known here.")
    script = kind(click.get_current_context().find_root().command, {}, "softix", "_SOFTIX_COMPLETE").source()
    if invocation().as_json:
        show({"shell": shell, "script": script})
    else:
        echo(script)

"""Every command of the CLI with its parameters, found by asking click: a new command is tested without being named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import click

from softix_proxy.cli.main import main

FILLED = {
    "amount": "1.00", "batch": "batch_1", "client": "claude-code", "file": "bill.csv", "files": "bill.csv",
    "folder": ".", "input": "1", "key": "ci", "key_id": "ci", "kind": "main", "label": "main", "model": "gpt-test",
    "name": "lab", "note": "why", "number": "1", "path": "bill.csv", "percent": "5%", "period": "2026-09",
    "provider": "lab", "public_key": "key", "request_id": "req_0", "shell": "bash", "target": "lab/gpt-test",
    "targets": "lab/gpt-test", "user": "ada", "version": "1",
}  # fmt: skip
"""What a required parameter is given while another one is tried."""


@dataclass(frozen=True)
class Leaf:
    """A command that is no group."""

    path: tuple[str, ...]
    command: click.Command

    @property
    def valued(self) -> list[click.Parameter]:
        """The parameters that take a value."""
        return [
            param
            for param in self.command.params
            if isinstance(param, click.Argument) or (isinstance(param, click.Option) and not param.is_flag)
        ]

    def words(self, tried: click.Parameter, value: str) -> list[str]:
        """The command line in which one parameter has this value, and the other required ones what is plausible."""
        words = [*self.path]
        arguments: list[str] = []
        for param in self.command.params:
            if param is not tried and not param.required:
                continue
            given = value if param is tried else FILLED.get(param.name or "", "x")
            if isinstance(param, click.Argument):
                arguments.append(given)
            else:
                long = next(option for option in param.opts if option.startswith("--"))
                words.append(f"{long}={given}")
        return [*words, *(["--", *arguments] if arguments else [])]


def leaves(command: click.Command = main, path: tuple[str, ...] = ()) -> Iterator[Leaf]:
    if not isinstance(command, click.Group):
        yield Leaf(path, command)
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found is not None
        yield from leaves(found, (*path, name))

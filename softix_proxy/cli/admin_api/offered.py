"""Which commands the admin API offers, and why it does not offer the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import click

from softix_proxy.cli.console.console import Invocation
from softix_proxy.cli.main import main

NOT_OFFERED: Final[Mapping[str, str]] = {
    "audit.follow": "It does not end. Ask for audit/list again.",
    "backup": "It writes a file of the machine where it runs.",
    "completion": "It is about a shell.",
    "config.check": "It reads the configuration of the machine.",
    "config.example": "It reads nothing of the instance.",
    "config.show": "It reads the configuration of the machine.",
    "connect": "It sets up a program on the machine where it runs.",
    "doctor": "It examines the machine where it runs.",
    "drill": "It reads files of the machine where it runs.",
    "export.verify": "It reads folders of the machine where it runs.",
    "init": "It makes the instance.",
    "migrate": "It needs a database that nothing serves.",
    "payments.setup": "It asks for two secrets, once, and is done at the machine.",
    "portal": "It serves this API.",
    "quickstart": "It makes an instance.",
    "restore": "It needs a database that nothing serves.",
    "secrets.rotate": "It writes a file of the machine: the master key.",
    "serve": "It serves this API.",
}
"""Command → why the admin API has no such call."""
FIXED: Final[Mapping[str, Mapping[str, object]]] = {"top": {"once": True}}
"""Command → parameters that every call gives, and that no caller names."""
LEFT_OUT: Final = frozenset(("yes", "force", "resume", "follow", "once", "interval_s", "count", "server"))
"""The parameters that no call has: they ask a person, are about files of the machine, or make a command go on.

Nor has a call a parameter that names a file to write.
"""
ALWAYS_YES: Final = "yes"
FILES: Final[Mapping[str, str]] = {
    "apply": "file",
    "audit.verify": "head",
    "keys.import": "file",
    "payments.export": "reports",
    "prices.import": "file",
    "reconcile": "report path mapped",
    "users.import": "file",
}
"""Command → its parameters that name a file to read. The API takes what is in the file."""
AS_FILE: Final[Mapping[str, str]] = {
    "audit.export": "application/jsonl",
    "bill.render": "",
    "payments.export": "",
    "usage.export": "",
    "usage.tail": "application/jsonl",
}
"""Command → the type of the file that it prints. An empty one follows from its parameter `format`."""
FILE_TYPES: Final[Mapping[str, str]] = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/jsonl",
    "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
    "xml": "application/xml",
    "ubl": "application/xml",
    "json": "application/json",
    "parquet": "application/vnd.apache.parquet",
}
"""Format → its type. All others are plain text."""
PLAIN_TEXT: Final = "text/plain; charset=utf-8"


def commands() -> Iterator[tuple[str, click.Command, click.Context]]:
    """Yields each command of the program with its name as an operation and a context of its parent."""
    yield from _within(main, click.Context(main, info_name="softix", obj=Invocation(as_json=True)), ())


def _within(
    group: click.Group, context: click.Context, words: tuple[str, ...]
) -> Iterator[tuple[str, click.Command, click.Context]]:
    for word in group.list_commands(context):
        command = group.get_command(context, word)
        assert command is not None, "it is among the listed ones"  # noqa: S101
        if isinstance(command, click.Group):
            yield from _within(command, click.Context(command, context, word), (*words, word))
        else:
            yield ".".join((*words, word)), command, context

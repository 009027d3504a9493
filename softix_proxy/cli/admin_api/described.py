"""The offered commands, each with its description and the function that does it."""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files as package_files
from io import StringIO
from typing import TYPE_CHECKING, Any

import click

from softix_proxy.cli.admin_api.offered import AS_FILE, FILE_TYPES, NOT_OFFERED, PLAIN_TEXT, commands
from softix_proxy.cli.admin_api.parameters import CommandParameters, parameters_of
from softix_proxy.cli.console.captured import Captured
from softix_proxy.cli.console.console import Invocation
from softix_proxy.domain.access.operations import OPERATIONS
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.ports.admin_commands import AdminAnswer, AdminCommand, Json

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance


@dataclass(frozen=True, slots=True)
class FoundCommand:
    """A command with what runs it."""

    command: click.Command
    parameters: CommandParameters
    function: Callable[..., Awaitable[None]]
    """What it does with an opened instance and its parameters."""
    _groups: tuple[tuple[str, click.Command], ...]

    def parent(self, invocation: Invocation) -> click.Context:
        """Returns a new context of the group that has the command."""
        context: click.Context | None = None
        for word, group in self._groups:
            context = click.Context(group, context, word, obj=invocation)
        assert context is not None, "each command is at least one of the program"  # noqa: S101
        return context


class CommandTable:
    """All offered commands. To make the table takes a second, because it imports them."""

    @cached_property
    def found(self) -> Mapping[str, FoundCommand]:
        return {
            name: FoundCommand(command, parameters_of(name, command), _function(command), _groups(parent))
            for name, command, parent in commands()
            if name not in NOT_OFFERED
        }

    @cached_property
    def described(self) -> Mapping[str, AdminCommand]:
        answers = answer_schemas()
        return {
            name: AdminCommand(
                operation=OPERATIONS[name],
                summary=_summary(found.command),
                parameters=found.parameters.all,
                answer=None if name in AS_FILE else answers.get(name, {}),
                has_version=name.endswith(".show"),
                is_versioned=OPERATIONS[name].changes and self._shows(name) is not None,
            )
            for name, found in self.found.items()
        }

    async def call(self, name: str, values: Mapping[str, Any], instance: Instance) -> AdminAnswer:
        """Runs a command on an instance that was entered for it, and returns what it prints.

        Raises what the command raises: OperatorError, and click.ClickException for values that it does not take.
        """
        found = self.found[name]
        with ExitStack() as files:
            arguments, stdin = found.parameters.arguments(values, files)
            captured = Captured(StringIO(stdin), as_lines=name in AS_FILE)
            parent = found.parent(Invocation(as_json=True, captured=captured))
            exit_code = 0
            with parent, found.command.make_context(name, arguments, parent) as context:
                try:
                    await found.function(instance, **context.params)
                except SystemExit as ended:
                    exit_code = int(ended.code or 0)
        if name in AS_FILE:
            captured.file.seek(0)
            kind = AS_FILE[name] or FILE_TYPES.get(str(context.params.get("form") or "jsonl"), PLAIN_TEXT)
            return AdminAnswer(file=captured.file, content_type=kind, exit_code=exit_code)
        captured.close()
        return AdminAnswer(_only(captured.values), exit_code=exit_code)

    def shown_by(self, name: str) -> str:
        """Returns the command that shows what another one changes. Raises BadInputError if there is none."""
        shown = self._shows(name)
        if shown is None:
            raise BadInputError(f"{name} changes nothing that has a version", "send it without If-Match")
        return shown

    def _shows(self, name: str) -> str | None:
        """Returns `keys.show` for `keys.revoke`: the command of the same noun with the same arguments."""
        shown = f"{name.partition('.')[0]}.show"
        if shown not in self.found:
            return None
        subject = self._subject(shown)
        return shown if subject and self._subject(name)[: len(subject)] == subject else None

    def _subject(self, name: str) -> list[str]:
        return [param.name or "" for param in self.found[name].command.params if isinstance(param, click.Argument)]


def _only(values: list[Any]) -> Any:
    """Returns the one value. A command that prints nothing, or more than that, has several."""
    return values[0] if len(values) == 1 else values


def answer_schemas() -> Mapping[str, Json]:
    """Returns the schemas of what commands print with `--json`, by their names."""
    schemas: dict[str, Json] = json.loads(
        package_files("softix_proxy").joinpath("data/answers.json").read_text("utf-8")
    )
    return schemas


def _function(command: click.Command) -> Callable[..., Awaitable[None]]:
    function: Callable[..., Awaitable[None]] = inspect.unwrap(command.callback or _nothing)
    return function


def _nothing(*_: Any) -> None:
    raise LookupError("a command without a function")


def _groups(parent: click.Context) -> tuple[tuple[str, click.Command], ...]:
    groups: list[tuple[str, click.Command]] = []
    context: click.Context | None = parent
    while context is not None:
        groups.insert(0, (context.info_name or "", context.command))
        context = context.parent
    return tuple(groups)


def _summary(command: click.Command) -> str:
    """Returns the first sentence of the help."""
    return inspect.cleandoc(command.help or "").partition(" Example: ")[0].partition("\n")[0].strip()

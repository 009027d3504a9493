"""The base of all commands: it prints results, reports errors, and opens the instance.

Results go to standard output. With `--json` that is JSON alone, and otherwise tables and sentences. Prose about the
work (`say`) and progress go to standard error.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

import click

from softix_proxy.domain.catalog.unknown_members import RULES
from softix_proxy.domain.core.display import as_json, is_one_line, visible, visible_lines
from softix_proxy.domain.core.errors import BadInputError, FailureError, OperatorError, clipped
from softix_proxy.domain.core.os_faults import remedy_of

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance
    from softix_proxy.cli.console.captured import Captured
    from softix_proxy.cli.console.tables import TableLayout
    from softix_proxy.domain.ports.storage import Storage
    from softix_proxy.settings import Settings

OutputFields = Mapping[str, Any]
COUNT = click.IntRange(1, 1_000_000_000)
"""The type of an option for a number of things to list."""
CONFIG = click.Path(path_type=Path, dir_okay=False)
DATA_DIR = click.Path(path_type=Path, file_okay=False)


@dataclass
class Invocation:
    """The options before the command, and the values that are made from them at first use."""

    config: Path | None = None
    data_dir: Path | None = None
    as_json: bool = False
    as_token: str | None = field(default=None, repr=False)
    """The admin token of `--as`. Without it, that of the environment counts."""
    captured: Captured | None = None
    """Where the results go if no terminal shows them."""

    def settings(self) -> Settings:
        from softix_proxy import assembly

        return assembly.read_settings(self.config, self.data_dir)


def invocation() -> Invocation:
    return click.get_current_context().ensure_object(Invocation)


def _captured() -> Captured | None:
    context = click.get_current_context(silent=True)
    return None if context is None else context.ensure_object(Invocation).captured


class _Exemplified(click.Command):
    """A command whose help shows the text after `Example:` on a line of its own, unbroken, so that it can be pasted."""

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        text, _, example = inspect.cleandoc(self.help or "").partition("Example: ")
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(text.strip())
        if example:
            formatter.write(f"\nExample:\n  {' '.join(example.split())}\n")


class _Guarded(_Exemplified):
    """A command that refuses empty and unprintable values before any of them is converted."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        with _short_usage():
            if args and not ctx.resilient_parsing:
                given, _, order = self.make_parser(ctx).parse_args(args=list(args))
                for param in order:
                    check_given(ctx, param, given.get(param.name or ""))
            return super().parse_args(ctx, args)


@contextmanager
def _short_usage() -> Iterator[None]:
    try:
        yield
    except click.UsageError as error:
        told = error.format_message()
        if told == (shown := visible_lines(clipped(told))):
            raise
        raise click.UsageError(shown, error.ctx) from None


def check_given(ctx: click.Context, param: click.Parameter, given: Any) -> None:
    """Refuses an empty value, and one that no file or database can hold.

    An empty value would often mean all, although an unset variable of a script was meant to name one. Raises
    click.UsageError.
    """
    name = param.opts[0] if isinstance(param, click.Option) else param.make_metavar(ctx)
    for value in given if isinstance(given, (list, tuple)) else [given]:
        if not isinstance(value, str):
            continue
        if not value.strip():
            raise click.UsageError(f"{name} is empty: give it a value, or leave it out.", ctx)
        if "\0" in value or not (isinstance(param.type, click.Path) or is_one_line(value)):
            raise click.UsageError(f"{name} must be one line of text, without control characters.", ctx)


class Command(_Guarded):
    """A command that takes the global options after its name too, and reports an OperatorError in one line."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += [
            click.Option(["--json", "as_json"], is_flag=True, expose_value=False, callback=_set, help="Print JSON."),
            click.Option(["--config"], type=CONFIG, expose_value=False, callback=_set, hidden=True),
            click.Option(["--data-dir"], type=DATA_DIR, expose_value=False, callback=_set, hidden=True),
            click.Option(["--as", "as_token"], expose_value=False, callback=_set, hidden=True),
        ]

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with _short_usage():
                return super().invoke(ctx)
        except OperatorError as error:
            fail(error)
        except BrokenPipeError:
            raise  # click ends quietly if the reader has closed the pipe
        except OSError as error:
            name = f": {error.filename}" if error.filename else ""
            told = f"{error.strerror or type(error).__name__}{name}"
            fail(FailureError(told, remedy_of(error, "check the name, and who may use it")))


class Group(_Guarded, click.Group):
    command_class = Command
    group_class = type

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        if not isinstance(cmd, Command | Group):
            raise TypeError(f"{cmd.name} would end in a traceback: make it a Command")
        super().add_command(cmd, name)


def _set(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if value:
        setattr(ctx.ensure_object(Invocation), str(param.name), value)


regions_option = click.option(
    "--regions",
    metavar="LIST",
    help="Use only providers of these regions, for example eu,ch. The word `none` allows any.",
)
unknown_members_option = click.option(
    "--unknown-members",
    type=click.Choice([*RULES, "none"]),
    help="What to do with members of unknown cost. The word `none` removes the rule.",
)


def choice_of(values: type[StrEnum]) -> click.Choice[str]:
    """Returns the type of an option or argument that takes one value of an enumeration. The command gets its text."""
    return click.Choice([each.value for each in values])


def split_regions(text: str | None) -> tuple[str, ...] | None:
    """Splits a list of regions.

    `none` removes the restriction. An empty list does not, because an unset variable of a script would give one. Raises
    BadInputError.
    """
    if text is None:
        return None
    regions = tuple(part.strip() for part in text.split(",") if part.strip())
    if not regions:
        raise BadInputError("--regions is empty", "name regions, or write none for any")
    return () if regions == ("none",) else regions


dry_run_option = click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")


def stage(opened: Instance, dry_run: bool) -> Storage:
    """Returns the storage for a command with `--dry-run`: the real one, or one that rolls everything back."""
    return opened.storage.rehearsal() if dry_run else opened.storage


def rehearsed(fields: OutputFields, dry_run: bool) -> OutputFields:
    """Returns the fields to show, with a note if nothing was changed because of `--dry-run`."""
    if not dry_run:
        return fields
    say("Nothing was changed (--dry-run).")
    return {**fields, "dry_run": True}


def instance(function: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Runs an async command with the opened instance (`assembly.Instance`) as its first argument."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> None:
        from softix_proxy import assembly

        name = operation_name(click.get_current_context())

        async def run() -> None:
            async with assembly.open_instance(invocation().settings()) as opened:
                await function(await opened.entered(name, _token()), *args, **kwargs)

        asyncio.run(run())

    return wrapper


def instance_or(elsewhere: Callable[..., Awaitable[None]]) -> Callable[..., Callable[..., None]]:
    """Does the same for a command with `--server`. With it, `elsewhere` runs in place of the command, and nothing of
    this machine is opened.
    """

    def decorated(function: Callable[..., Awaitable[None]]) -> Callable[..., None]:
        here = instance(function)

        @functools.wraps(function)
        def wrapper(server: str | None, **kwargs: Any) -> None:
            if server is None:
                here(**kwargs)
            else:
                asyncio.run(_awaited(elsewhere(server, _token(), **kwargs)))

        return wrapper

    return decorated


async def _awaited(done: Awaitable[None]) -> None:
    await done


def _token() -> str | None:
    """Returns the admin token by which the command acts. None for a user of the operating system."""
    from softix_proxy import assembly

    asked = invocation().as_token
    if asked is None:
        return assembly.admin_token()
    say(
        "Every user of this machine can read the token of --as while the command runs.",
        "put it into the environment variable SOFTIX_TOKEN instead",
    )
    return asked


def operation_name(context: click.Context) -> str:
    """Returns the name of a command's operation: its words without that of the program, joined by dots."""
    words: list[str] = []
    while context.parent is not None:
        words.insert(0, context.command.name or "")
        context = context.parent
    return ".".join(words)


def fail(error: OperatorError) -> NoReturn:
    """Prints one line with the error and one with the remedy, and exits.

    With `--json` it prints JSON to standard error.
    """
    message = error.message
    if invocation().as_json:
        text = as_json({"error": message, "remedy": error.remedy})
    else:
        text = f"softix: {visible(message)}" + (_then(error.remedy) if error.remedy else "")
    echo(text, err=True)
    raise SystemExit(error.exit_code)


def echo(text: str = "", *, err: bool = False, end: str = "\n") -> None:
    """Prints lines. All that others may have written goes through here, so that none of it acts on a terminal."""
    shown, captured = visible_lines(text) + end, _captured()
    if captured is None:
        click.echo(shown, err=err, nl=False)
    elif not err:
        captured.write(shown.encode())


def write_file(content: bytes) -> None:
    """Writes a piece of a file to standard output, as it is."""
    if captured := _captured():
        captured.write(content)
    else:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()


def echo_lines(lines: Iterable[str]) -> None:
    """Prints each text on one line, whatever is in it."""
    echo("\n".join(map(visible, lines)))


def echo_marked(mark: str, colour: str, text: str) -> None:
    """Prints a line after a mark in a colour."""
    click.echo(f"{click.style(mark, fg=colour)} {visible(text)}")


def echo_json(value: Any) -> None:
    """Prints JSON on one line."""
    text = as_json(value)
    if captured := _captured():
        captured.take(value, text)
    else:
        click.echo(text)


def can_ask() -> bool:
    """Returns whether a person can be asked at the terminal."""
    return _captured() is None and sys.stdin.isatty()


def standard_input() -> TextIO:
    """Returns what is piped in."""
    captured = _captured()
    return sys.stdin if captured is None else captured.stdin


def say(text: str, remedy: str = "") -> None:
    """Prints prose about the work for a person. With `--json` it prints nothing."""
    if not invocation().as_json:
        echo(visible(text) + (_then(remedy) if remedy else ""), err=True)


def _then(remedy: str) -> str:
    return f"\n  → {visible(remedy)}"


def show(fields: OutputFields, sentence: str | None = None) -> None:
    """Prints one thing as JSON, or as lines of its fields after a sentence."""
    if invocation().as_json:
        echo_json(fields)
        return
    if sentence:
        say(sentence)
    from softix_proxy.cli.console.tables import lines  # it is imported late, because the daemon shows no tables

    for line in lines(fields):
        echo(line)


def show_all(rows: Iterable[OutputFields], table: TableLayout) -> None:
    """Prints many things as a JSON array with every field, or as a table.

    In a pipe it is tab-separated with every column.
    """
    from softix_proxy.cli.console.tables import fitting, grid, lines, plain

    listed = list(rows)
    if invocation().as_json:
        echo_json(listed)
        return
    if not sys.stdout.isatty():
        for row in [dict(zip(table.columns, table.columns, strict=True)), *listed]:
            echo("\t".join(plain(row[column]) for column in table.columns))
        return
    from rich.console import Console

    console = Console()
    columns = fitting(table, listed, console.width)
    if not columns:
        for number, row in enumerate(listed):
            echo("\n".join(([""] if number else []) + lines({name: row[name] for name in table.columns})))
        return
    console.print(grid(table, listed, columns))
    left_out = [name for name in table.columns if name not in columns]
    if listed and left_out:
        say(f"The terminal is too narrow for these columns: {', '.join(left_out)}. Widen it, or use --json.")


def confirm(question: str, yes: bool) -> None:
    """Asks before something is destroyed. `--yes` confirms it.

    Without a terminal and without `--yes` the command is refused.
    """
    if yes:
        return
    question = visible(question)
    if not can_ask():
        raise click.UsageError(f"{question} Add --yes to do it without being asked.")
    click.confirm(question, abort=True, err=True)

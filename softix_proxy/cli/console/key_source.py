"""Reads a provider's key from standard input, a variable, a file, or a person. It is never read from an argument."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from softix_proxy.cli.console.console import can_ask, standard_input
from softix_proxy.domain.core.display import visible
from softix_proxy.domain.core.errors import BadInputError, FailureError

_MOST_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class KeySource:
    """The source of a key. It is never an argument, because every user of the machine could read one."""

    stdin: bool
    variable: str | None
    file: Path | None
    noun: str = "key"
    """What is read. It is in the names of the options: `--key-stdin`."""
    label: str | None = None
    """What a person is asked for, if it is not what the noun says."""

    def read(self, name: str, *, ask: bool) -> str | None:
        """Returns the key, or the document.

        Without a source it asks on a terminal if `ask` is set, or else returns None.

        Raises BadInputError for two sources or an empty one, and FailureError for an unreadable file.
        """
        if self.stdin + bool(self.variable) + bool(self.file) > 1:
            options = f"--{self.noun}-stdin, --{self.noun}-env or --{self.noun}-file"
            raise BadInputError(f"the {self.noun} has more than one source", f"give {options}")
        text = self._text(name, ask=ask)
        if text is not None and not text.strip():
            raise BadInputError(
                f"there is no {self.noun} in what was given", "check the variable, the file or the pipe"
            )
        return text.strip() if text is not None else None

    def _text(self, name: str, *, ask: bool) -> str | None:
        if self.variable is not None:
            return os.environ.get(self.variable, "")
        if self.file is not None:
            try:
                with self.file.open("rb") as opened:
                    raw = opened.read(_MOST_BYTES + 1)
                if len(raw) > _MOST_BYTES:
                    raise BadInputError(f"{self.file} is too large for a {self.noun}", "check its path")
                return raw.decode("utf-8")
            except (OSError, UnicodeDecodeError):
                raise FailureError(f"cannot read {self.file}", "check its path and mode") from None
        if self.stdin and not can_ask():
            piped = standard_input()
            first = piped.readline()
            return first + piped.read() if first.lstrip().startswith("{") or not first.strip() else first
        if (self.stdin or ask) and can_ask():
            what = self.label or ("API key" if self.noun == "key" else self.noun.capitalize())
            return str(click.prompt(f"{what} for {visible(name)}", hide_input=True, err=True))
        return None


def key_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options from which `KeySource` is made. The command gets `key_stdin`, `key_env` and `key_file`."""
    for option in (
        click.option(
            "--key-file",
            type=click.Path(path_type=Path, dir_okay=False),
            help="Read the key, or a credential in JSON, from a file.",
        ),
        click.option("--key-env", metavar="VAR", help="Read the key from an environment variable."),
        click.option("--key-stdin", is_flag=True, help="Read the key from standard input."),
    ):
        function = option(function)
    return function


def password_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the same for a password. The command gets `password_stdin`, `password_env` and `password_file`."""
    for option in (
        click.option(
            "--password-file", type=click.Path(path_type=Path, dir_okay=False), help="Read the password from a file."
        ),
        click.option("--password-env", metavar="VAR", help="Read the password from an environment variable."),
        click.option("--password-stdin", is_flag=True, help="Read the password from standard input."),
    ):
        function = option(function)
    return function

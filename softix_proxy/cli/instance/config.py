"""The commands of `softix config`, which show the current settings and the available ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from softix_proxy.cli.console.console import Group, OutputFields, echo, invocation, say, show, show_all
from softix_proxy.cli.console.tables import TableLayout
from softix_proxy.domain.core.config import PathUse
from softix_proxy.domain.core.errors import BadInputError

if TYPE_CHECKING:
    from softix_proxy.settings import Paths

_SETTINGS = TableLayout(("name", "value", "source"), prose=("value",), leave=("source",))


@click.group(cls=Group)
def config() -> None:
    """Show and check the configuration. Example: softix config show"""


@config.command("show")
def show_() -> None:
    """Show every setting, and whether it comes from default, file or environment. Example: softix config show --json"""
    from softix_proxy import assembly

    settings = invocation().settings()
    say(f"Configuration file: {words_of_place(settings.paths)}")
    say(f"Data directory: {settings.paths.data_dir}")
    rows = [
        {"name": name, "value": _plain(value), "source": source}
        for name, value, source in assembly.effective_settings(settings)
    ]
    show_all(rows, _SETTINGS)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else list(value) if isinstance(value, tuple) else value


@config.command()
def check() -> None:
    """Check the configuration. The exit code is 2 if it has a mistake.

    Example: softix --config new.toml config check
    """
    from softix_proxy.settings import named_paths

    settings = invocation().settings()
    for name, path, use in named_paths(settings):
        _require(name, path, use)
    show({"ok": True, **place_fields(settings.paths), "data_dir": str(settings.paths.data_dir)})


def place_fields(paths: Paths) -> OutputFields:
    """Returns where the configuration is read from, for programs and for people."""
    if not invocation().as_json:
        return {"config": words_of_place(paths)}
    return {"config": str(paths.config) if paths.config else None, "config_place": str(paths.config_place)}


def words_of_place(paths: Paths) -> str:
    return str(paths.config) if paths.config else f"none; it would be read from {paths.config_place}"


def _require(name: str, path: Path, use: PathUse) -> None:
    """Raises BadInputError if softix could not use the path in this way."""
    if use is PathUse.FILE and not path.is_file():
        raise BadInputError(f"{name}: there is no file {path}", "correct its path, or put it there")
    if use is PathUse.FOLDER and not path.is_dir():
        raise BadInputError(f"{name}: there is no folder {path}", "make the folder, or correct its path")
    if use is PathUse.NEW_FOLDER and path.exists() and not path.is_dir():
        raise BadInputError(f"{name}: {path} is no folder", "correct its path")
    if use is PathUse.NEW_FILE and path.is_dir():
        raise BadInputError(f"{name}: {path} is a folder", "add the name of a file to its path")
    if use in (PathUse.NEW_FILE, PathUse.NEW_FOLDER) and not path.parent.is_dir():
        raise BadInputError(f"{name}: there is no folder {path.parent}", "make the folder, or correct its path")


@config.command()
def example() -> None:
    """Print a configuration file with every setting. Example: softix config example > config.toml"""
    from softix_proxy import settings

    text = settings.example()
    if invocation().as_json:
        show({"toml": text})
    else:
        echo(text, end="")

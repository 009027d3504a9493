"""Makes many users or keys from a CSV file: all of them, or none, with a report by line."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from softix_proxy.cli.admin_api.described import CommandTable
from softix_proxy.cli.bulk.one_transaction import OneTransaction
from softix_proxy.domain.core.errors import BadInputError, FailureError, OperatorError
from softix_proxy.domain.ports.admin_commands import AdminCommand, Json

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance

_MOST_BYTES: Final = 4 * 1024 * 1024
_MOST_LINES: Final = 2_000
"""The most lines of one file. They are one transaction, and requests wait for it."""
_WORDS: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class Line(NamedTuple):
    """One line of the file, and what became of it."""

    number: int
    """Its number in the file. The header is line 1."""
    printed: Any = None
    """What the command printed. None if it failed."""
    error: OperatorError | None = None


async def import_all(instance: Instance, path: Path, command: str, *, dry_run: bool) -> Sequence[Line]:
    """Runs the command for each line, in one transaction. If a line fails, nothing is done, and every failure is told.

    Raises BadInputError and FailureError for a file that cannot be read.
    """
    commands = CommandTable()
    asked = _rows(path, commands.described[command])
    storage = instance.storage.rehearsal() if dry_run else instance.storage
    lines: list[Line] = []
    try:
        async with storage.writing() as unit:
            within = OneTransaction(commands, instance, unit)
            for number, values in asked:
                lines.append(await _line(within, command, number, values))
            if any(line.error is not None for line in lines):
                raise _UndoneError
    except _UndoneError:
        pass
    return lines


class _UndoneError(Exception):
    """Ends a transaction in which a line has failed."""


async def _line(within: OneTransaction, command: str, number: int, values: dict[str, Any] | OperatorError) -> Line:
    if isinstance(values, OperatorError):
        return Line(number, error=values)
    try:
        return Line(number, await within.call(command, values))
    except OperatorError as error:
        return Line(number, error=error)


def _rows(path: Path, command: AdminCommand) -> list[tuple[int, dict[str, Any] | OperatorError]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            text = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise FailureError(f"cannot read {path}: {error.strerror}", "name a file that can be read") from None
    except UnicodeDecodeError:
        raise BadInputError(f"{path.name} is not UTF-8", "save it as CSV in UTF-8") from None
    if len(text) > _MOST_BYTES:
        raise BadInputError(f"{path.name} is larger than 4 MiB", "split it")
    schemas = {each.name: each.schema for each in command.parameters if each.name != "dry_run"}
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    try:
        header = next(reader, [])
        _check_header(path, header, command, schemas)
        rows = [(reader.line_num, _values(header, row, schemas)) for row in reader if any(row)]
    except csv.Error:
        raise BadInputError(f"{path.name}, line {reader.line_num}: it is not CSV", "mend its quotes") from None
    if not rows:
        raise BadInputError(f"{path.name} has no line below its header", "add one")
    if len(rows) > _MOST_LINES:
        raise BadInputError(f"{path.name} has {len(rows):,} lines", f"split it: {_MOST_LINES:,} are done at once")
    return rows


def _check_header(path: Path, header: Sequence[str], command: AdminCommand, schemas: dict[str, Json]) -> None:
    for name in header:
        if name not in schemas:
            raise BadInputError(f"{path.name} has an unknown column {name!r}", f"use: {', '.join(sorted(schemas))}")
    if len(set(header)) != len(header):
        raise BadInputError(f"{path.name} has a column twice", "keep one of them")
    for each in command.parameters:
        if each.is_required and each.name not in header:
            raise BadInputError(f"{path.name} has no column {each.name!r}", f"the first line names: {each.name}")


def _values(header: Sequence[str], row: Sequence[str], schemas: dict[str, Json]) -> dict[str, Any] | OperatorError:
    """Returns the values of a line by column, or what is wrong with it. An empty field is not given."""
    if len(row) != len(header):
        return BadInputError(f"it has {len(row)} fields, and the header has {len(header)}", "quote fields with commas")
    values: dict[str, Any] = {}
    for name, text in zip(header, row, strict=True):
        kind = schemas[name]["type"]
        if not text:
            continue
        if kind == "boolean" and text.lower() not in _WORDS:
            return BadInputError(f"{name} is neither true nor false", "write true or false")
        values[name] = _WORDS[text.lower()] if kind == "boolean" else text.split() if kind == "array" else text
    return values

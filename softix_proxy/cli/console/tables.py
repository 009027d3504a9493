"""Fits tables into the terminal. Whole columns are left out in a stated order, and no value is cut."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from softix_proxy.domain.core.display import visible

if TYPE_CHECKING:
    from rich.table import Table as Grid

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", re.ASCII)
_GAP = 2
"""The cells between two columns."""
_LEAST_PROSE = 24
"""The fewest cells that are enough for a sentence."""


@dataclass(frozen=True, slots=True)
class TableLayout:
    """The columns of a list, and the rule for a terminal that is too narrow for all of them.

    Columns in `leave` are left out first, in that order. `prose` wraps at its words. All other values stay whole. If
    they still do not fit, each thing is shown on lines of its own.
    """

    columns: tuple[str, ...]
    leave: tuple[str, ...] = ()
    prose: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if unknown := {*self.leave, *self.prose} - {*self.columns}:
            raise ValueError(f"not columns of this table: {sorted(unknown)}")


def plain(value: Any) -> str:
    """Returns a value as a person reads it, on one line in which nothing acts on the terminal."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {plain(item)}" for name, item in value.items()) or "-"
    if isinstance(value, (list, tuple)):
        return ", ".join(plain(item) for item in value) or "-"
    return visible(str(value))


def lines(fields: Mapping[str, Any]) -> list[str]:
    """Returns one thing as lines, with one field a line."""
    width = max((len(name) for name in fields), default=0)
    return [f"{name:<{width}}  {plain(value)}" for name, value in fields.items()]


def fitting(table: TableLayout, rows: Sequence[Mapping[str, Any]], width: int) -> tuple[str, ...]:
    """Returns the columns that fit side by side into that many cells.

    The result is empty if not even the columns that must stay fit.
    """
    from rich.cells import cell_len

    least = {
        column: max(cell_len(column), *(cell_len(_cell(row[column])) for row in rows), 0) for column in table.columns
    }
    for column in table.prose:
        least[column] = min(least[column], max(_LEAST_PROSE, len(column)))
    kept = list(table.columns)
    for leaving in (None, *table.leave):
        if leaving is not None:
            kept.remove(leaving)
        if sum(least[column] for column in kept) + _GAP * (len(kept) - 1) <= width:
            return tuple(kept)
    return ()


def grid(table: TableLayout, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> Grid:
    """Returns a table of these columns for `rich` to print."""
    from rich.table import Table as Grid
    from rich.text import Text

    drawn = Grid(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        drawn.add_column(column, overflow="fold", no_wrap=column not in table.prose)
    for row in rows:
        drawn.add_row(*(Text(_cell(row[column])) for column in columns))
    return drawn


def _cell(value: Any) -> str:
    """Returns the text of a cell. An instant is shown to the second. `--json` and pipes have the rest."""
    text = plain(value)
    return f"{text[:19]}Z" if _INSTANT.fullmatch(text) else text

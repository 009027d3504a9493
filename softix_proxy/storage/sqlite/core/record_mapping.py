"""Names the columns of each record's fields once. Statements and the reading of rows are derived from that.

Nothing depends on the order of a table's columns or of a record's fields. Each statement names its columns. The
position of a field in a row is calculated once, when the mapping is made.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from functools import cached_property
from operator import itemgetter
from typing import Any, Generic, TypeVar

R = TypeVar("R")


class Stored:
    """The way in which a field is stored: its columns, and the conversions between their values and the field's."""

    __slots__ = ("columns", "read", "select", "write")

    def __init__(
        self,
        columns: tuple[str, ...] = (),
        select: tuple[str, ...] = (),
        read: Callable[..., Any] | None = None,
        write: Callable[[Any], tuple[Any, ...]] | None = None,
    ) -> None:
        self.columns = columns
        """The columns. If it is empty, the field has one column of its own name."""
        self.select = select
        """The expressions that a statement reads in place of the columns, one for each."""
        self.read = read
        """The function from one value per column to the field's value.

        None if the only column has the field's value.
        """
        self.write = write
        """The function from the field's value to one value per column.

        None if the only column takes the field's value.
        """


def selected(*expressions: str, read: Callable[..., Any] | None = None) -> Stored:
    """Describes a field that is read from expressions and never written."""
    return Stored(expressions, expressions, read)


def converted(read: Callable[[Any], Any], write: Callable[[Any], Any] | None = None, *, column: str = "") -> Stored:
    """Describes a field with one column of another type. Without `write`, the database takes the value as it is."""
    return Stored((column,) if column else (), (), read, None if write is None else lambda value: (write(value),))


def text_list() -> Stored:
    """Describes a tuple of texts that is stored as JSON."""
    return converted(lambda text: () if text == "[]" else tuple(json.loads(text)), json.dumps)


class RecordMapping(Generic[R]):
    """The fields of one record, and the columns in which they are stored.

    `same` names the fields in columns of the same name. The keywords describe how other fields are stored, as `Stored`
    or by the mapping of a record within this one. `given` has the value of each field that is not stored at all.
    """

    def __init__(
        self,
        make: Callable[..., R],
        *same: str,
        given: Mapping[str, Any] | None = None,
        **stored: Stored | RecordMapping[Any],
    ) -> None:
        """Makes the mapping. Raises TypeError unless each field of the record is named once."""
        given = given or {}
        order = field_names(make)
        if sorted((*same, *stored, *given)) != sorted(order):
            raise TypeError(f"{make} has the fields {sorted(order)}, its mapping {sorted((*same, *stored, *given))}")
        self.make = make
        self.columns: tuple[str, ...] = ()
        self._expressions: tuple[str, ...] = ()
        self._fields: dict[str, tuple[slice, Stored]] = {}
        for name, how in ({name: Stored() for name in same} | stored).items():
            self._add(name, how.as_stored() if isinstance(how, RecordMapping) else how)
        self._given = [(at, given[name]) for at, name in enumerate(order) if name in given]
        places = [(at, *self._fields[name]) for at, name in enumerate(order) if name not in given]
        starts = {at: where.start for at, where, _ in places}
        self._pick = _picker([starts.get(at, 0) for at in range(len(order))])
        readers = [(at, how.read, where) for at, where, how in places if how.read]
        self._from_one = [(at, read) for at, read, where in readers if where.stop - where.start == 1]
        self._from_several = [(at, read, where) for at, read, where in readers if where.stop - where.start > 1]

    def _add(self, name: str, how: Stored) -> None:
        columns = how.columns or (name,)
        self._fields[name] = slice(len(self.columns), len(self.columns) + len(columns)), how
        self.columns += columns
        self._expressions += how.select or columns

    def as_stored(self) -> Stored:
        """Describes this record as a field of another one."""
        return Stored(self.columns, self._expressions, lambda *values: self.read(values), self.values)

    def select(self) -> str:
        """Returns the columns that a statement must select first, so that its rows can be read."""
        return ", ".join(self._expressions)

    def read(self, row: Sequence[Any]) -> R:
        """Makes the record from a row that begins with the columns of `select`."""
        values = list(self._pick(row))
        for at, value in self._given:
            values[at] = value
        for at, convert in self._from_one:
            values[at] = convert(values[at])
        for at, convert, where in self._from_several:
            values[at] = convert(*row[where])
        return self.make(*values)

    def read_all(self, rows: Iterable[Sequence[Any]]) -> list[R]:
        return [self.read(row) for row in rows]

    def row(self, record: R, *only: str) -> dict[str, Any]:
        """Returns the value of each column of these fields, or of all fields."""
        found: dict[str, Any] = {}
        for name in only or self._fields:
            where, how = self._fields[name]
            value = getattr(record, name)
            found.update(zip(self.columns[where], how.write(value) if how.write else (value,), strict=True))
        return found

    def values(self, record: R) -> tuple[Any, ...]:
        """Returns one value for each of `columns`, in their order."""
        return tuple(self.row(record).values())


class WrittenColumns:
    """The columns that the hot path writes, each with the path to its value in a record.

    An empty value in a column of `or_null` is written as NULL.
    """

    def __init__(self, paths: Mapping[str, str], or_null: Mapping[str, str] | None = None) -> None:
        """Makes the mapping. Raises ValueError for anything that is not a path of attributes."""
        or_null = or_null or {}
        self.columns = (*paths, *or_null)
        self._taken = [f"{_checked(path)}," for path in paths.values()]
        self._taken += [f"{_checked(path)} or None," for path in or_null.values()]

    @cached_property
    def values(self) -> Callable[[Any], tuple[Any, ...]]:
        """Returns a function that takes a record and gives one value for each of `columns`, in their order.

        It is compiled, because an `attrgetter` takes half as long again. The paths are softix's own, and they are
        checked.
        """
        made: Callable[[Any], tuple[Any, ...]] = eval(f"lambda record: ({' '.join(self._taken)})")  # noqa: S307
        return made


def field_names(make: Callable[..., Any]) -> tuple[str, ...]:
    """Returns the fields of a record in the order in which its constructor takes them."""
    named: tuple[str, ...] | None = getattr(make, "_fields", None)
    return named or tuple(field.name for field in fields(make) if field.init)  # type: ignore[arg-type] # this is a dataclass, or `fields` raises


def insert(table: str, columns: Sequence[str], *, rows: str = "") -> str:
    """Returns the statement that adds one row of parameters, or the rows that `rows` selects."""
    return f"INSERT INTO {table} ({', '.join(columns)}) {rows or f'VALUES ({placeholders(len(columns))})'}"


def insert_listed(table: str, columns: Sequence[str]) -> str:
    """Returns the statement that adds the rows of one parameter: a JSON array of objects with the columns' names."""
    values = ", ".join(f"value ->> '{column}'" for column in columns)
    return insert(table, columns, rows=f"SELECT {values} FROM json_each(?)")


def update(table: str, columns: Sequence[str], where: str) -> str:
    return f"UPDATE {table} SET {', '.join(f'{column} = ?' for column in columns)} WHERE {where}"


def placeholders(count: int) -> str:
    return ", ".join("?" * count)


def _picker(positions: Sequence[int]) -> Callable[[Sequence[Any]], Iterable[Any]]:
    if len(positions) == 1:
        return lambda row: (row[positions[0]],)
    return itemgetter(*positions)


def _checked(path: str) -> str:
    if not all(part.isidentifier() for part in path.split(".")):
        raise ValueError(path)
    return f"record.{path}"

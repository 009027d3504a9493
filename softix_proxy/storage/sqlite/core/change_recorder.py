"""Records which rows one transaction changes, with SQLite's session extension.

https://www.sqlite.org/sessionintro.html. Several changes of a row count as one, and a change to the value that was
there before counts as none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import apsw

from softix_proxy.storage.sqlite.core.engine import SqliteConnection

_OPERATIONS: Mapping[str, Literal["insert", "update", "delete"]] = {
    "INSERT": "insert",
    "UPDATE": "update",
    "DELETE": "delete",
}


@dataclass(frozen=True, slots=True)
class RowChange:
    table: str
    operation: Literal["insert", "update", "delete"]
    key: Mapping[str, Any]
    """The columns of the primary key with their values."""
    before: Mapping[str, Any]
    """The columns with their old values: all of them for a delete, and the changed ones for an update."""
    after: Mapping[str, Any]
    """The columns with their new values: all of them for an insert, and the changed ones for an update."""


class ChangeRecorder:
    """Records the changes that are made on a connection from now on."""

    def __init__(self, connection: SqliteConnection, tables: Iterable[str]) -> None:
        self._connection = connection
        self._session = apsw.Session(connection, "main")
        for table in tables:
            self._session.attach(table)
        self._columns: dict[str, tuple[str, ...]] = {}

    def changes(self) -> Sequence[RowChange]:
        """Returns the changes so far. Call it on the thread that uses the connection, or while none does."""
        if self._session.is_empty:
            return ()
        return [self._change(each) for each in apsw.Changeset.iter(self._session.changeset())]

    def close(self) -> None:
        """Ends the recording, on the thread that uses the connection and before that is closed."""
        self._session.close()

    def _change(self, change: apsw.TableChange) -> RowChange:
        columns = self._columns_of(change.name)
        old = _given(columns, change.old)
        new = _given(columns, change.new)
        whole = old if change.op != "INSERT" else new
        keys = {columns[place] for place in change.pk_columns}
        key = {name: whole[name] for name in columns if name in keys}
        if change.op == "UPDATE":
            old = {name: value for name, value in old.items() if name in new}
        return RowChange(change.name, _OPERATIONS[change.op], key, old, new)

    def _columns_of(self, table: str) -> tuple[str, ...]:
        if table not in self._columns:
            rows = self._connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
            self._columns[table] = tuple(name for (name,) in rows)
        return self._columns[table]


def record(connection: SqliteConnection, tables: Iterable[str]) -> ChangeRecorder:
    """Returns a recorder that ends with the connection. If there can be none, it closes the connection and raises."""
    try:
        connection.recorder = recorder = ChangeRecorder(connection, tables)
    except BaseException:
        connection.close()
        raise
    return recorder


def _given(columns: Sequence[str], values: Sequence[Any] | None) -> dict[str, Any]:
    if values is None:
        return {}
    return {name: value for name, value in zip(columns, values, strict=True) if value is not apsw.no_change}

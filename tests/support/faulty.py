"""A database connection that fails when it is told to."""

from __future__ import annotations

from typing import Any

from softix_proxy.storage.engine_sqlite import SqliteConnection


class Faulty:
    """A connection that raises, instead of the next statement that begins so, what it is told to."""

    def __init__(self, connection: SqliteConnection, faults: dict[str, list[Exception]]) -> None:
        self._connection, self._faults = connection, faults

    def execute(self, statement: str, *values: Any) -> Any:
        for start, errors in self._faults.items():
            if statement.startswith(start) and errors:
                raise errors.pop(0)
        return self._connection.execute(statement, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

"""Turns the rows that a transaction changed into changes that the audit may keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from softix_proxy.domain.accounts.audit import AuditChange, AuditValue
from softix_proxy.storage.sqlite.accounts.audited_tables import AUDITED, NOT_REFERENCES, REFERENCES, AuditedTable
from softix_proxy.storage.sqlite.core.change_recorder import RowChange
from softix_proxy.storage.sqlite.core.database import DatabaseSession

_MOST_CHANGES = 1000
"""The changes that one entry lists. An import of prices has more, and then the rest is counted."""


async def audited_changes(session: DatabaseSession, rows: Sequence[RowChange]) -> Sequence[AuditChange]:
    """Returns the changes in the order of their tables. Beyond a thousand, each table has one change with a count."""
    named = _Names(session)
    found: list[AuditChange] = []
    further: dict[str, int] = {}
    for row in rows:
        table = AUDITED[row.table]
        hidden = _hidden(table, row)
        if row.operation not in table.events or not (row.operation != "update" or hidden or _shows(table, row)):
            continue
        if len(found) >= _MOST_CHANGES:
            further[table.kind] = further.get(table.kind, 0) + 1
            continue
        change = await named.change(table, row, hidden)
        if change not in found[-1:]:
            found.append(change)
    found += [AuditChange(kind, "", None, {"further": count}) for kind, count in further.items()]
    return found


def _shows(table: AuditedTable, row: RowChange) -> bool:
    return any(column in row.after for column in table.shown.split())


def _hidden(table: AuditedTable, row: RowChange) -> tuple[str, ...]:
    if row.operation != "update":
        return ()
    return tuple(column for column in table.hidden.split() if column in row.after)


class _Names:
    """Finds the public ids of rows and of what they refer to, each once."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session
        self._known: dict[tuple[str, int], AuditValue] = {}

    async def change(self, table: AuditedTable, row: RowChange, hidden: tuple[str, ...]) -> AuditChange:
        columns = table.id.split()
        known = {**row.key, **row.before, **row.after}
        if any(column not in known for column in columns):
            known.update(await self._stored(row, columns))
        parts = [str(await self._value(row.table, column, known[column])) for column in columns]
        before = None if row.operation == "insert" else await self._values(table, row, row.before)
        after = None if row.operation == "delete" else await self._values(table, row, row.after)
        return AuditChange(table.kind, "/".join(parts), before, after, hidden)

    async def _stored(self, row: RowChange, columns: Sequence[str]) -> Mapping[str, Any]:
        where = " AND ".join(f"{column} = ?" for column in row.key)
        statement = f"SELECT {', '.join(columns)} FROM {row.table} WHERE {where}"
        found = await self._session.one(statement, *row.key.values())
        return {} if found is None else dict(zip(columns, found, strict=True))

    async def _values(self, table: AuditedTable, row: RowChange, values: Mapping[str, Any]) -> Mapping[str, AuditValue]:
        """Returns the values that may be shown. Of a whole row, those that are not set are left out."""
        is_whole = row.operation != "update"
        return {
            column: await self._value(row.table, column, values[column])
            for column in table.shown.split()
            if column in values and not (is_whole and values[column] is None)
        }

    async def _value(self, table: str, column: str, value: Any) -> AuditValue:
        statement = REFERENCES.get(column)
        if value is None or statement is None or (table, column) in NOT_REFERENCES:
            return value  # type: ignore[no-any-return] # STRICT tables: the column of an audited value has text or integers
        if (statement, value) not in self._known:
            found = await self._session.one(statement, value)
            self._known[(statement, value)] = value if found is None else found[0]
        return self._known[(statement, value)]

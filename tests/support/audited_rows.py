"""Checks that no command changes a row without an entry in the audit."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from softix_proxy.storage.sqlite.accounts.audited_tables import AUDITED
from softix_proxy.storage.sqlite.core.engine import connect

_WHOLE = {name: table for name, table in AUDITED.items() if len(table.events) == 3}
NOT_OPERATIONS = ("init", "migrate", "restore", "serve", "portal", "doctor", "quickstart")


class AuditedRows(NamedTuple):
    hashes: dict[str, bytes]
    """Table → the hash of all that the audit follows in it."""
    entries: int


def audited_rows(folder: Path) -> AuditedRows:
    """Returns what the audit follows in the database of this folder."""
    connection = connect(folder / "softix.db")
    try:
        hashes = {}
        for name, table in _WHOLE.items():
            columns = ", ".join((*table.id.split(), *table.shown.split(), *table.hidden.split()))
            rows = sorted(map(repr, connection.execute(f"SELECT {columns} FROM {name}")))
            hashes[name] = sha256("\n".join(rows).encode()).digest()
        [(entries,)] = connection.execute("SELECT count(*) FROM audit").fetchall()
        return AuditedRows(hashes, entries)
    finally:
        connection.close()


def require_entry(before: AuditedRows, after: AuditedRows, words: Iterable[str]) -> None:
    """Raises AssertionError if the command changed a row that the audit follows, and the audit has no entry of it."""
    line = list(words)
    if any(word in NOT_OPERATIONS for word in line[:1]):
        return
    changed = [name for name, value in after.hashes.items() if before.hashes[name] != value]
    assert not changed or after.entries > before.entries, f"{line} changed {changed} without an entry of the audit"

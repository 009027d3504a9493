"""Intents whose process died: found by the lock that died with it."""

from __future__ import annotations

from softix_proxy.domain.metering.settlement import Orphan
from softix_proxy.storage.sqlite.core import slots
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.write_path import statements as sql
from softix_proxy.storage.sqlite.write_path.group import open_intents

_AT_ONCE = 1000


def find(database: Database, own_slot: int | None) -> list[Orphan]:
    """Some of them, the oldest first; to be asked again until there are none. Blocks.

    `own_slot` is given at the start, when whatever is open under it was left by an earlier process. While a dead
    process's slot is looked at it is locked, so that nobody takes it and opens new intents under its number.
    """
    connection = database.connect()
    borrowed: list[slots.Slot] = []
    try:
        open_slots = [int(row[0]) for row in connection.execute(sql.OPEN_SLOTS)]
        borrowed = slots.borrow_dead(database.path, [slot for slot in open_slots if slot != own_slot])
        dead = [slot.number for slot in borrowed] + ([own_slot] if own_slot in open_slots else [])
        return open_intents(connection, dead, _AT_ONCE) if dead else []
    finally:
        for slot in borrowed:
            slot.release()
        connection.close()

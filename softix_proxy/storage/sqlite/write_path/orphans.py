"""Finds the intents of dead processes. A process is dead if its lock is free."""

from __future__ import annotations

from softix_proxy.domain.metering.settlement import Orphan
from softix_proxy.storage.sqlite.core import slots
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.write_path import statements as sql
from softix_proxy.storage.sqlite.write_path.group import open_intents

_AT_ONCE = 1000


def find(database: Database, own_slot: int | None) -> list[Orphan]:
    """Returns some of them, the oldest first. The caller repeats this until there are none. It blocks.

    `own_slot` is given at the start, when everything open under it was left by an earlier process. The slot of a dead
    process is locked during the search, so that nobody takes it and opens new intents under its number.
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

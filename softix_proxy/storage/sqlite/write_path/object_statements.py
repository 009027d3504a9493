"""The statements for things that providers keep: where a user may name them, and the record of new ones.

Admission and settlement run them within their transaction. The stores of other transactions use the same statements.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from softix_proxy.domain.access.objects import AccountPlace, NewObject, ObjectRef, asked_for
from softix_proxy.storage.sqlite.core.engine import SqliteConnection

ACCOUNT = "(SELECT id FROM object_accounts WHERE provider_id = ? AND provider_key = ?)"
"""The number of an account, by its provider and the label of its key."""
_ITEM = "item"
RESOLVE = """
WITH asked (number, kind, remote_id) AS (SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?1)),
found (number, account_id) AS (
  SELECT number, account_id FROM asked CROSS JOIN objects USING (remote_id, kind) WHERE user_id = ?2
  UNION ALL
  SELECT number, account_id FROM asked CROSS JOIN object_items USING (remote_id) WHERE kind = 'item' AND user_id = ?2
  UNION ALL
  SELECT number, account_id FROM asked CROSS JOIN object_shares USING (remote_id, kind)
  WHERE user_id IS NULL OR user_id = ?2
)
SELECT number, provider_id, provider_key FROM found JOIN object_accounts ON object_accounts.id = account_id"""
"""Finds where a user may use things, by their kinds and names in JSON. It does the same work for a name that nobody has
and for one that somebody else has.
"""
ADD_ACCOUNT = "INSERT INTO object_accounts (provider_id, provider_key) VALUES (?, ?) ON CONFLICT DO NOTHING"
FORGET_OLDER = f"""
DELETE FROM objects WHERE remote_id = ? AND kind = ? AND account_id = {ACCOUNT}
AND user_id <> ? AND created_at_us <= ?"""
"""Takes a name away from another owner, because the provider has given it to a newer thing."""
ADD_OBJECT = f"""
INSERT INTO objects (remote_id, kind, account_id, user_id, key_id, batch_id, created_at_us)
VALUES (?, ?, {ACCOUNT}, ?, ?, ?, ?) ON CONFLICT DO NOTHING"""
ADD_ITEM = f"""
INSERT OR REPLACE INTO object_items (remote_id, account_id, user_id, created_at_us) VALUES (?, {ACCOUNT}, ?, ?)"""
REMOVE = f"DELETE FROM objects WHERE remote_id = ? AND kind = ? AND account_id = {ACCOUNT} AND user_id = ?"


class Statement(NamedTuple):
    """A statement and its parameters."""

    text: str
    values: Sequence[object]


def resolving(user_id: int, refs: Sequence[ObjectRef]) -> Statement:
    """Returns the statement that finds where the user may use the thing of each name."""
    return Statement(RESOLVE, (msgspec.json.encode(list(asked_for(refs))).decode(), user_id))


def resolved(rows: Iterable[Sequence[Any]]) -> list[tuple[int, AccountPlace]]:
    """Returns what such a statement has found, by the number of the name."""
    return [(number, AccountPlace(provider_id, label)) for number, provider_id, label in rows]


def recording(new: NewObject, batch_id: int | None = None) -> Iterator[Statement]:
    """Yields the statements that record a thing. Twice changes nothing."""
    name, kind, place = new.ref.id, new.ref.kind, new.place
    if kind == _ITEM:
        yield Statement(ADD_ITEM, (name, *place, new.user_id, new.created_at_us))
        return
    yield Statement(FORGET_OLDER, (name, kind, *place, new.user_id, new.created_at_us))
    yield Statement(ADD_OBJECT, (name, kind, *place, new.user_id, new.key_id, batch_id, new.created_at_us))


def record(connection: SqliteConnection, objects: Iterable[NewObject]) -> None:
    """Records what the provider keeps, within the settlement that the client is told of."""
    places: set[AccountPlace] = set()
    for new in objects:
        if new.place not in places:
            places.add(new.place)
            connection.execute(ADD_ACCOUNT, new.place)
        for statement in recording(new):
            connection.execute(*statement)

"""The rows that say who owned a key when, and the links from keys to their budgets.

Each change of an owner moves the key's open holds from the old budgets to the new ones, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping

from softix_proxy.domain.organisations.key_owners import NOBODY, KeyOwner
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping

_OWNER = RecordMapping(KeyOwner, "account_id", "project_id")
_NOW = f"SELECT {_OWNER.select()} FROM key_owners WHERE key_id = ? AND until_number IS NULL"
_ALL_NOW = f"""
SELECT {_OWNER.select()}, key_id FROM key_owners JOIN keys ON keys.id = key_id
WHERE user_id = ? AND until_number IS NULL ORDER BY key_id"""
_LINK = """
INSERT INTO key_budgets (key_id, budget_id) SELECT keys.id, b.id FROM keys JOIN budgets AS b ON b.user_id = keys.user_id
WHERE keys.id = ? AND (b.account_id = ? OR b.project_id = ?)"""


def _move_holds(sign: str) -> str:
    return f"""
UPDATE budgets SET held_pico = held_pico {sign} coalesce((SELECT held_pico FROM key_states WHERE key_id = ?1), 0)
WHERE id IN (SELECT budget_id FROM key_budgets WHERE key_id = ?1)"""


_TAKE_HOLDS, _GIVE_HOLDS = _move_holds("-"), _move_holds("+")


class SqliteKeyOwnerStore:
    """Stores the owners of keys."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def get(self, key_id: int) -> KeyOwner:
        row = await self._session.one(_NOW, key_id)
        return _OWNER.read(row) if row else NOBODY

    async def list(self, user_id: int) -> Mapping[int, KeyOwner]:
        rows = await self._session.all(_ALL_NOW, user_id)
        return {row[-1]: _OWNER.read(row) for row in rows}

    async def set(self, key_id: int, owner: KeyOwner) -> None:
        run, number = self._session.run, await self._session.next_number()
        await run("DELETE FROM key_owners WHERE key_id = ? AND from_number >= ?", key_id, number)
        await run("UPDATE key_owners SET until_number = ? WHERE key_id = ? AND until_number IS NULL", number, key_id)
        if owner != NOBODY:
            await self._session.insert("key_owners", {"key_id": key_id, "from_number": number, **_OWNER.row(owner)})
        await run(_TAKE_HOLDS, key_id)
        await run("DELETE FROM key_budgets WHERE key_id = ?", key_id)
        await run(_LINK, key_id, owner.account_id, owner.project_id)
        await run(_GIVE_HOLDS, key_id)

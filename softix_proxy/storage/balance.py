"""Wallets: caches of their entries and of the open holds."""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.domain.balance import Entry, Wallet
from softix_proxy.domain.errors import NotFoundError
from softix_proxy.storage.database import DatabaseSession


class SqliteBalanceStore:
    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def get(self, user_id: int) -> Wallet:
        row = await self._session.one(
            "SELECT user_id, posted_pico, held_pico, credit_pico FROM wallets WHERE user_id = ?", user_id
        )
        if row is None:
            raise NotFoundError(f"no wallet of the user with the number {user_id}")
        return Wallet(*row)

    async def set_credit(self, user_id: int, credit_pico: int) -> None:
        await self._session.run("UPDATE wallets SET credit_pico = ? WHERE user_id = ?", credit_pico, user_id)

    async def history(self, user_id: int, limit: int) -> Sequence[Entry]:
        """Scans from the newest transfer back: charges have no index, so that writing them stays cheap."""
        rows = await self._session.all(
            "SELECT id, kind, iif(to_account = ?1, amount_pico, -amount_pico), reference, note FROM transfers"
            " WHERE from_account = ?1 OR to_account = ?1 ORDER BY id DESC LIMIT ?2",
            user_id,
            limit,
        )
        balance_pico = (await self.get(user_id)).posted_pico
        entries = []
        for number, kind, amount_pico, reference, note in rows:
            entries.append(Entry(number, kind, amount_pico, balance_pico, reference, note))
            balance_pico -= amount_pico
        return entries

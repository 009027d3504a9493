"""A secret of the instance that is sealed in the database, and bound to what it may be used for.

A secret opens only for the server, the client or the address that it was stored for. So changed settings cannot send it
elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.domain.ports.vault import Vault


class SealedCount(NamedTuple):
    """How many secrets there are of a kind."""

    stored: int
    outstanding: int
    """The number of those that another master key sealed."""


@dataclass(frozen=True, slots=True)
class BoundSecret:
    """The names by which a secret of the table `instance` is stored. An empty value stands for no secret."""

    row: str
    bound_row: str
    """The row that names what the secret is bound to."""
    purpose: str
    """The column of its place. A secret that is moved to another one does not open."""
    bound_by_default: str = ""
    """What a secret is bound to if no row says so."""

    async def store(self, unit: Unit, vault: Vault, secret: str, bound_to: str) -> None:
        await unit.instance.set(self.bound_row, bound_to.encode())
        await unit.instance.set(self.row, vault.seal_secret(secret, *self.place(bound_to)))

    async def load(self, unit: Unit) -> tuple[bytes | None, str]:
        """Returns the sealed secret, and what it is bound to."""
        bound_to = await unit.instance.get(self.bound_row)
        return await unit.instance.get(self.row) or None, (bound_to or self.bound_by_default.encode()).decode()

    def place(self, bound_to: str) -> tuple[str, str, str]:
        return "instance", self.purpose, bound_to

    async def count(self, unit: Unit, vault: Vault) -> SealedCount:
        """Raises FailureError if what is stored is no sealed secret."""
        sealed, _ = await self.load(unit)
        return SealedCount(sealed is not None, sealed is not None and vault.sealed_by(sealed) != vault.master_key_id)

    async def rewrap(self, storage: Storage, vault: Vault) -> int:
        """Wraps the secret anew for the current master key. Returns 0 if there is none, or if it is current.

        Raises FailureError if it does not open.
        """
        if not (await self.count(storage.reading(), vault)).outstanding:
            return 0
        async with storage.writing() as unit:
            sealed, bound_to = await self.load(unit)
            if sealed is not None:
                await unit.instance.set(self.row, vault.rewrap_secret(sealed, *self.place(bound_to)))
        return 1

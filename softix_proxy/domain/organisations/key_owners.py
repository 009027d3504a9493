"""The owners of keys: the member and the project that a key belongs to.

They are apart from `keys`, each change of which makes every daemon reload its directory. A key without an owner belongs
to its organisation alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class KeyOwner:
    """The owners of one key at one time. Both may be given: a member's key for a project."""

    account_id: int | None = None
    project_id: int | None = None


NOBODY = KeyOwner()


class KeyOwnerStore(Protocol):
    """Keeps who owned a key when. What a key spent stays with those who owned it at that time."""

    async def get(self, key_id: int) -> KeyOwner:
        """Returns the present owners."""
        ...

    async def list(self, user_id: int) -> Mapping[int, KeyOwner]:
        """Returns the present owners of the organisation's keys that have any, by the key's number."""
        ...

    async def set(self, key_id: int, owner: KeyOwner) -> None:
        """Gives the key to these owners, from the next posting on. Its open holds move to their budgets."""
        ...

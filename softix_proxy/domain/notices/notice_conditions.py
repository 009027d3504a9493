"""The conditions of which people are told while they hold, such as a low balance: once, until they end."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from softix_proxy.domain.notices.outbox import NoticeKind


class NoticeConditionStore(Protocol):
    """Stores the names of the conditions that hold and that people were told of."""

    async def standing(self, kind: NoticeKind) -> frozenset[str]:
        """Returns the names of the conditions of this kind that were told."""
        ...

    async def begin(self, name: str, kind: NoticeKind, now_us: int) -> bool:
        """Notes that the condition is told. Returns False if it was noted before."""
        ...

    async def end(self, names: Collection[str]) -> None:
        """Forgets these conditions, so that they are told anew when they hold again."""
        ...

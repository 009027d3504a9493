"""The conditions of which people are told while they hold, such as a low balance: once, until they end."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from softix_proxy.domain.notices.outbox import NoticeKind
from softix_proxy.domain.notices.webhook_events import EventKind

CAP_PART = 20
"""A cap counts as reached when all but a twentieth of it is spent. What is left seldom pays for a whole request."""


@dataclass(frozen=True, slots=True)
class LowBalance:
    """A prepaid organisation that has spent something, and its posted balance."""

    user_id: int
    posted_pico: int


class NoticeConditionStore(Protocol):
    """Stores the names of the conditions that hold and that people were told of, and finds those that hold."""

    async def standing(self, kind: NoticeKind | EventKind) -> frozenset[str]:
        """Returns the names of the conditions of this kind that were told."""
        ...

    async def begin(self, name: str, kind: NoticeKind | EventKind, now_us: int) -> bool:
        """Notes that the condition is told. Returns False if it was noted before."""
        ...

    async def end(self, names: Collection[str]) -> None:
        """Forgets these conditions, so that they are told anew when they hold again."""
        ...

    async def low_balances(self, at_most_pico: int, *, with_members: bool = True) -> Sequence[LowBalance]:
        """Returns the organisations whose balance is at most this. Holds do not count, because they pass.

        `with_members` leaves out those that nobody signs in for.
        """
        ...

    async def spent_keys(self, *, with_members: bool = True) -> Sequence[int]:
        """Returns the active keys that may have reached their cap. `with_members` is as for `low_balances`.

        What they spent may be of an earlier period, so the caller looks again.
        """
        ...

"""Removes what has ended: sessions, links, counts, registrations without proof, kept answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from softix_proxy.domain.access.repeatable_calls import KEPT_US
from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.ports.storage import Storage, Unit

KEEP_UNVERIFIED_DAYS = 7
"""For how long a registration waits for its link. Then somebody else may register the address."""
_AT_ONCE = 500
"""How many rows one transaction removes. After a flood there are many, and requests wait for it meanwhile."""
_Purge = Callable[[Unit, int, int], Awaitable[int]]
"""Removes rows of one kind in a transaction, as of an instant and at most so many. Returns their number."""


@dataclass(frozen=True, slots=True)
class Purged:
    """How many rows of each kind were removed."""

    sessions: int
    tokens: int
    throttles: int
    unverified: int
    repeatable_calls: int


async def purge(storage: Storage) -> Purged:
    """Removes what has ended, in short transactions. A job calls it once an hour."""
    proof_us = KEEP_UNVERIFIED_DAYS * DAY_US
    return Purged(
        sessions=await _all(storage, lambda unit, now_us, most: unit.sessions.purge(now_us, most)),
        tokens=await _all(storage, lambda unit, now_us, most: unit.account_tokens.purge(now_us, most)),
        throttles=await _all(storage, lambda unit, now_us, most: unit.throttles.purge(now_us, most)),
        unverified=await _all(
            storage, lambda unit, now_us, most: unit.accounts.purge_unverified(now_us - proof_us, most)
        ),
        repeatable_calls=await _all(
            storage, lambda unit, now_us, most: unit.repeatable_calls.purge(now_us - KEPT_US, most)
        ),
    )


async def _all(storage: Storage, some: _Purge) -> int:
    total = 0
    while True:
        async with storage.writing() as unit:
            removed = await some(unit, unit.clock.now_us(), _AT_ONCE)
        total += removed
        if removed < _AT_ONCE:
            return total

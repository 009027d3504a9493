"""Removes what has ended: sessions, links, counts of attempts, old security events, and registrations without proof."""

from __future__ import annotations

from typing import NamedTuple

from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.ports.storage import Storage

KEEP_EVENTS_DAYS = 90
"""For how long a security event is kept. It has a network address, which is personal data."""
KEEP_UNVERIFIED_DAYS = 7
"""For how long a registration waits for its link. Then somebody else may register the address."""


class Purged(NamedTuple):
    """How many rows of each kind were removed."""

    sessions: int
    tokens: int
    throttles: int
    security_events: int
    unverified: int


async def purge(storage: Storage, *, keep_events_days: int = KEEP_EVENTS_DAYS) -> Purged:
    """Removes what has ended, in one transaction. A job calls it once an hour; a second call removes nothing more."""
    async with storage.writing() as unit:
        now_us = unit.clock.now_us()
        return Purged(
            sessions=await unit.sessions.purge(now_us),
            tokens=await unit.account_tokens.purge(now_us),
            throttles=await unit.throttles.purge(now_us),
            security_events=await unit.security_events.purge(now_us - keep_events_days * DAY_US),
            unverified=await unit.accounts.purge_unverified(now_us - KEEP_UNVERIFIED_DAYS * DAY_US),
        )

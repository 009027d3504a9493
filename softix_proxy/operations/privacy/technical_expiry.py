"""Removes technical data by age. It is apart from the other operations, because each daemon does it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.ports.storage import Storage, Unit

_AT_ONCE = 500
"""How many rows one transaction removes. Requests wait for it meanwhile."""
Removal = Callable[[Unit, int], Awaitable[int]]
"""Removes at most so many rows in a transaction. Returns their number."""


async def purge_old(storage: Storage, days: int) -> int:
    """Removes what is older than so many days. Returns the number of rows."""

    async def some(unit: Unit, most: int) -> int:
        before_us = unit.clock.now_us() - days * DAY_US
        gone = await unit.technical_data.purge_before(before_us, most)
        return gone + await unit.security_events.purge(before_us, most - gone)

    return await in_short_transactions(storage, some)


async def in_short_transactions(storage: Storage, some: Removal) -> int:
    """Removes until nothing is left. Returns the number of rows."""
    total = 0
    while True:
        async with storage.writing() as unit:
            removed = await some(unit, _AT_ONCE)
        total += removed
        if removed < _AT_ONCE:
            return total

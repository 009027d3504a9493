"""The directory in memory. It is refreshed when something shows that it is out of date."""

from __future__ import annotations

import asyncio
import math

from softix_proxy.domain.ports.storage import Storage
from softix_proxy.domain.routing.directory import Directory

_SHARED_S = 0.05
"""The time between two reads for whom anybody can make ask. A key that was just made waits no longer than that."""


class LiveDirectory:
    """Holds the current directory, and refreshes it one read at a time.

    A call that comes during a read waits for the next one.
    """

    def __init__(self, storage: Storage) -> None:
        self.current = Directory()
        self._storage = storage
        self._lock = asyncio.Lock()
        self._asked = 0
        self._served = 0
        self._read_s = -math.inf
        """When the last read began, by the event loop's clock."""
        self._covered_s = -math.inf
        """When the last read began that did not fail."""

    async def refresh(self) -> None:
        """Makes `current` at least as new as the moment of the call. Raises FailureError."""
        self._asked += 1
        ticket = self._asked
        async with self._lock:
            if self._served >= ticket:
                return
            covers = self._asked
            began_s = self._read_s = asyncio.get_running_loop().time()
            self.current.apply(await self._storage.changes(self.current.revision))
            self._served, self._covered_s = covers, began_s

    async def has_changed(self) -> bool:
        """Reads what changed, and returns whether anything did. Then a refusal by what was known is no longer valid.

        Raises FailureError.
        """
        revision = self.current.revision
        await self.refresh()
        return self.current.revision != revision

    async def refresh_shared(self) -> None:
        """Does the same for whom anybody can make ask, at most once in a short time for all of them.

        Raises FailureError.
        """
        asked_s = asyncio.get_running_loop().time()
        await asyncio.sleep(max(self._read_s + _SHARED_S - asked_s, 0))
        if self._read_s > asked_s:
            async with self._lock:  # a read that began meanwhile ends first
                pass
        if self._covered_s <= asked_s:
            await self.refresh()

    def was_read_within(self, age_s: float) -> bool:
        return asyncio.get_running_loop().time() - self._read_s < age_s

"""The directory in memory. It is refreshed when something shows that it is out of date."""

from __future__ import annotations

import asyncio

from softix_proxy.domain.ports.storage import Storage
from softix_proxy.domain.routing.directory import Directory


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

    async def refresh(self) -> None:
        """Makes `current` at least as new as the moment of the call. Raises FailureError."""
        self._asked += 1
        ticket = self._asked
        async with self._lock:
            if self._served >= ticket:
                return
            covers = self._asked
            self.current.apply(await self._storage.changes(self.current.revision))
            self._served = covers

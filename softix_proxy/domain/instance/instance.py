"""The facts that an instance stores about itself, such as the master key with which it was made."""

from __future__ import annotations

from typing import Protocol

from softix_proxy.domain.core.calendar import Calendar


class InstanceStore(Protocol):
    async def get(self, name: str) -> bytes | None: ...

    async def calendar(self) -> Calendar:
        """Returns the calendar that determines the days of sums and the start of caps."""
        ...

    async def last_request_id(self) -> int:
        """Returns the greatest id of any request, or 0 if there was none."""
        ...

    async def set(self, name: str, value: bytes) -> None: ...

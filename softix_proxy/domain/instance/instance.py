"""What an instance knows of itself: which master key it was made with, and the like."""

from __future__ import annotations

from typing import Protocol

from softix_proxy.domain.core.calendar import Calendar


class InstanceStore(Protocol):
    async def get(self, name: str) -> bytes | None: ...

    async def calendar(self) -> Calendar:
        """By whose days sums are kept and caps begin anew."""
        ...

    async def last_request_id(self) -> int:
        """The greatest that any request has; 0 where there was none."""
        ...

    async def set(self, name: str, value: bytes) -> None: ...

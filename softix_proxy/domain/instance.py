"""What an instance knows of itself: which master key it was made with, and the like."""

from __future__ import annotations

from typing import Protocol


class InstanceStore(Protocol):
    async def get(self, name: str) -> bytes | None: ...

    async def set(self, name: str, value: bytes) -> None: ...

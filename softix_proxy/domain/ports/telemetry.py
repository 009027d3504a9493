"""What is counted for operators: no names of users, no content."""

from __future__ import annotations

from typing import Protocol

from softix_proxy.domain.core.errors import Code
from softix_proxy.domain.metering.settlement import Settlement


class Telemetry(Protocol):
    def refused(self, endpoint: str, code: Code) -> None:
        """A request that got no further than softix."""
        ...

    def opened(self, hold_pico: int) -> None:
        """A request was admitted."""
        ...

    def finished(self, settlement: Settlement, provider: str, model: str) -> None:
        """An admitted request was settled."""
        ...

"""The port for the metrics of operators. They contain no names of users and no content."""

from __future__ import annotations

from typing import Protocol

from softix_proxy.domain.core.errors import Code
from softix_proxy.domain.metering.settlement import Settlement


class Telemetry(Protocol):
    """Counts what happens to requests."""

    def refused(self, endpoint: str, code: Code) -> None:
        """Counts a request that softix refused before it was admitted."""
        ...

    def unknown_members(self, endpoint: str, number: int) -> None:
        """Counts the members of a request of which nobody knows what they cost. Their names are content."""
        ...

    def opened(self, hold_pico: int) -> None:
        """Counts a request that was admitted."""
        ...

    def finished(self, settlement: Settlement, provider: str, model: str) -> None:
        """Counts an admitted request that was settled."""
        ...

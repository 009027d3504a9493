"""Counts what a process delivered to endpoints. It is kept in memory, for the metrics."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class DeliveryTally:
    """The attempts of this process by their outcome, and what waits."""

    delivered: int = 0
    attempts_failed: int = 0
    given_up: int = 0
    waiting: int = 0
    """The deliveries of all processes that wait, as this one last saw them."""

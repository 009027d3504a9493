"""The routes, which are names for several models, and the health of their targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from softix_proxy.domain.routing.target_health import TargetStats


class RouteStatus(StrEnum):
    ACTIVE = "active"
    DISABLED = "disabled"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """The times for which softix waits for a provider. None means the value of the settings."""

    connect_ms: int | None = None
    first_byte_ms: int | None = None
    idle_ms: int | None = None

    def within(self, outer: Timeouts) -> Timeouts:
        """Returns these time-outs. Each missing one is taken from `outer`."""
        return Timeouts(
            outer.connect_ms if self.connect_ms is None else self.connect_ms,
            outer.first_byte_ms if self.first_byte_ms is None else self.first_byte_ms,
            outer.idle_ms if self.idle_ms is None else self.idle_ms,
        )


SETTINGS = Timeouts()


@dataclass(frozen=True, slots=True)
class RouteLeg:
    """One model of a route, as it is configured."""

    model_id: int
    weight: int = 1
    """The share of first attempts that it gets among the legs of its tier."""
    tier: int = 0
    """The tier. A later tier is used only if every earlier one fails."""
    timeouts: Timeouts = SETTINGS
    concurrency: int | None = None
    """The most requests of this process that it works on at once."""


@dataclass(frozen=True, slots=True)
class ModelRoute:
    id: int
    """The id. It is 0 for a route that softix made from the models of that name, in order of age."""
    public_id: str
    name: str
    legs: tuple[RouteLeg, ...]
    retries: int = 0
    """The number of times that all targets are tried again, after a pause."""
    sticky: bool = True
    """Whether a request that begins like an earlier one of the same key goes to the same target.

    This uses the provider's prompt cache.
    """
    timeouts: Timeouts = SETTINGS
    status: RouteStatus = RouteStatus.ACTIVE
    created_at_us: int = 0


@dataclass(frozen=True, slots=True)
class ReportedHealth:
    """The health of one target, as a daemon reported it."""

    slot: int
    model_id: int
    reported_at_us: int
    stats: TargetStats


class RouteStore(Protocol):
    """Stores routes, and the health of their targets as daemons report it."""

    async def add(self, route: ModelRoute) -> ModelRoute:
        """Adds a route. `route.id` is ignored and assigned. Raises ConflictError if the name is taken."""
        ...

    async def find(self, reference: str) -> ModelRoute | None:
        """Finds a route by public id or name."""
        ...

    async def list(self) -> Sequence[ModelRoute]:
        """Returns all routes, including removed ones."""
        ...

    async def update(self, route: ModelRoute) -> None:
        """Writes every column but the ids. Raises ConflictError if the name is taken."""
        ...

    async def report(self, slot: int, stats: Sequence[TargetStats]) -> None:
        """Replaces the earlier report of this daemon."""
        ...

    async def reported(self) -> Sequence[ReportedHealth]:
        """Returns the reports of all daemons. Those of a dead daemon stay until another one takes its slot."""
        ...

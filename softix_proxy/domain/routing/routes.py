"""Routes: names that stand for several models, and how their targets fare."""

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
    """How long a provider is waited for; None leaves it to the settings."""

    connect_ms: int | None = None
    first_byte_ms: int | None = None
    idle_ms: int | None = None

    def within(self, outer: Timeouts) -> Timeouts:
        """These, and where there is none the other ones'."""
        return Timeouts(
            outer.connect_ms if self.connect_ms is None else self.connect_ms,
            outer.first_byte_ms if self.first_byte_ms is None else self.first_byte_ms,
            outer.idle_ms if self.idle_ms is None else self.idle_ms,
        )


SETTINGS = Timeouts()


@dataclass(frozen=True, slots=True)
class RouteLeg:
    """One target of a route."""

    model_id: int
    weight: int = 1
    """Its share of the first tries among those of its tier."""
    tier: int = 0
    """A later tier stands in only where every earlier one fails."""
    timeouts: Timeouts = SETTINGS
    concurrency: int | None = None
    """The most requests of this process that it works on at once."""


@dataclass(frozen=True, slots=True)
class Route:
    id: int
    """0: made up from the models of that name, in order of age."""
    public_id: str
    name: str
    legs: tuple[RouteLeg, ...]
    retries: int = 0
    """How often all targets are tried once more, after a pause."""
    sticky: bool = True
    """What begins like an earlier request of the same key goes where that went, for the provider's prompt cache."""
    timeouts: Timeouts = SETTINGS
    status: RouteStatus = RouteStatus.ACTIVE
    created_at_us: int = 0


@dataclass(frozen=True, slots=True)
class ReportedHealth:
    """What a daemon said of one target."""

    slot: int
    model_id: int
    reported_at_us: int
    stats: TargetStats


class RouteStore(Protocol):
    """Keeps routes, and what daemons report of their targets."""

    async def add(self, route: Route) -> Route:
        """`route.id` is ignored and given. Raises ConflictError if the name is taken."""
        ...

    async def find(self, reference: str) -> Route | None:
        """By public id or name."""
        ...

    async def list(self) -> Sequence[Route]:
        """Removed ones too."""
        ...

    async def update(self, route: Route) -> None:
        """Writes every column but the ids. Raises ConflictError if the name is taken."""
        ...

    async def report(self, slot: int, stats: Sequence[TargetStats]) -> None:
        """In place of what this daemon said before."""
        ...

    async def reported(self) -> Sequence[ReportedHealth]:
        """By all daemons, dead ones too until another takes their slot."""
        ...

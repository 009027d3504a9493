"""The rows of routes, and what daemons report about their targets."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from softix_proxy.domain.core.errors import ConflictError
from softix_proxy.domain.routing.routes import ModelRoute, ReportedHealth, RouteLeg, RouteStatus, Timeouts
from softix_proxy.domain.routing.target_health import Breaker, TargetStats
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.core.engine import IntegrityError
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping, converted, field_names

_WAITED = field_names(Timeouts)


def _leg(leg: RouteLeg) -> dict[str, object]:
    """Returns the leg as an object, without the fields that are not set."""
    stored = {"model_id": leg.model_id, "weight": leg.weight, "tier": leg.tier, "concurrency": leg.concurrency}
    return {name: value for name, value in (stored | asdict(leg.timeouts)).items() if value is not None}


def _to_leg(stored: Mapping[str, Any]) -> RouteLeg:
    return RouteLeg(
        model_id=stored["model_id"],
        weight=stored["weight"],
        tier=stored["tier"],
        timeouts=Timeouts(**{name: stored.get(name) for name in _WAITED}),
        concurrency=stored.get("concurrency"),
    )


def _to_vitals(state: str) -> TargetStats:
    stored = json.loads(state)
    return TargetStats(**{**stored, "breaker": Breaker(**stored["breaker"])})


ROUTE = RecordMapping(
    ModelRoute,
    "id",
    "public_id",
    "name",
    "retries",
    "created_at_us",
    legs=converted(
        lambda text: tuple(_to_leg(leg) for leg in json.loads(text)),
        lambda legs: json.dumps([_leg(leg) for leg in legs]),
    ),
    sticky=converted(bool),
    timeouts=RecordMapping(Timeouts, *_WAITED),
    status=converted(RouteStatus),
)
_CHANGEABLE = ("name", "legs", "retries", "sticky", "timeouts", "status")
_REPORTED = RecordMapping(
    ReportedHealth,
    "slot",
    "model_id",
    "reported_at_us",
    stats=converted(_to_vitals, lambda stats: json.dumps(asdict(stats)), column="state"),
)


class SqliteRouteStore:
    """Stores routes, and the reports about targets."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def add(self, route: ModelRoute) -> ModelRoute:
        try:
            await self._session.insert("routes", ROUTE.row(route, "public_id", "created_at_us", *_CHANGEABLE))
        except IntegrityError:
            raise _taken(route) from None
        row = await self._session.one(f"SELECT {ROUTE.select()} FROM routes WHERE public_id = ?", route.public_id)
        assert row is not None  # noqa: S101
        return ROUTE.read(row)

    async def find(self, reference: str) -> ModelRoute | None:
        row = await self._session.one(
            f"SELECT {ROUTE.select()} FROM routes WHERE public_id = ?1 OR name = ?1 ORDER BY public_id = ?1 DESC",
            reference,
        )
        return ROUTE.read(row) if row else None

    async def list(self) -> Sequence[ModelRoute]:
        return ROUTE.read_all(await self._session.all(f"SELECT {ROUTE.select()} FROM routes ORDER BY id"))

    async def update(self, route: ModelRoute) -> None:
        try:
            await self._session.update("routes", ROUTE.row(route, *_CHANGEABLE), "id = ?", route.id)
        except IntegrityError:
            raise _taken(route) from None

    async def report(self, slot: int, stats: Sequence[TargetStats]) -> None:
        await self._session.run("DELETE FROM target_health WHERE slot = ?", slot)
        now_us = self._session.clock.now_us()
        for each in stats:
            told = ReportedHealth(slot=slot, model_id=each.model_id, reported_at_us=now_us, stats=each)
            await self._session.insert("target_health", _REPORTED.row(told))

    async def reported(self) -> Sequence[ReportedHealth]:
        return _REPORTED.read_all(
            await self._session.all(f"SELECT {_REPORTED.select()} FROM target_health ORDER BY model_id, slot")
        )


def _taken(route: ModelRoute) -> ConflictError:
    return ConflictError(f"there is a route {route.name!r}", f"change it: softix routes set {route.name}")

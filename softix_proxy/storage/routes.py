"""Routes' rows, and what daemons tell of their targets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from softix_proxy.domain.errors import ConflictError
from softix_proxy.domain.health import Breaker, Vitals
from softix_proxy.domain.routes import Leg, Reported, Route
from softix_proxy.storage.database import DatabaseSession
from softix_proxy.storage.directory import ROUTE, to_route
from softix_proxy.storage.engine_sqlite import IntegrityError


class SqliteRouteStore:
    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def add(self, route: Route) -> Route:
        columns = "public_id, created_at_us, name, legs, retries, sticky, connect_ms, first_byte_ms, idle_ms, status"
        try:
            await self._session.run(
                f"INSERT INTO routes ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                route.public_id,
                route.created_at_us,
                *_changeable(route),
            )
        except IntegrityError:
            raise _taken(route) from None
        row = await self._session.one(f"SELECT {ROUTE} FROM routes WHERE public_id = ?", route.public_id)
        assert row is not None  # noqa: S101
        return to_route(row)

    async def find(self, reference: str) -> Route | None:
        row = await self._session.one(
            f"SELECT {ROUTE} FROM routes WHERE public_id = ?1 OR name = ?1 ORDER BY public_id = ?1 DESC", reference
        )
        return to_route(row) if row else None

    async def list(self) -> Sequence[Route]:
        return [to_route(row) for row in await self._session.all(f"SELECT {ROUTE} FROM routes ORDER BY id")]

    async def update(self, route: Route) -> None:
        try:
            await self._session.run(
                "UPDATE routes SET name = ?, legs = ?, retries = ?, sticky = ?, connect_ms = ?, first_byte_ms = ?,"
                " idle_ms = ?, status = ? WHERE id = ?",
                *_changeable(route),
                route.id,
            )
        except IntegrityError:
            raise _taken(route) from None

    async def report(self, slot: int, vitals: Sequence[Vitals]) -> None:
        await self._session.run("DELETE FROM target_health WHERE slot = ?", slot)
        now_us = self._session.clock.now_us()
        for each in vitals:
            await self._session.run(
                "INSERT INTO target_health (slot, model_id, reported_at_us, state) VALUES (?, ?, ?, ?)",
                slot,
                each.model_id,
                now_us,
                json.dumps(asdict(each)),
            )

    async def reported(self) -> Sequence[Reported]:
        rows = await self._session.all(
            "SELECT slot, model_id, reported_at_us, state FROM target_health ORDER BY model_id, slot"
        )
        return [Reported(slot, model_id, at_us, _to_vitals(state)) for slot, model_id, at_us, state in rows]


def _changeable(route: Route) -> tuple[object, ...]:
    timeouts = route.timeouts
    return (
        route.name,
        json.dumps([_leg(leg) for leg in route.legs]),
        route.retries,
        route.sticky,
        timeouts.connect_ms,
        timeouts.first_byte_ms,
        timeouts.idle_ms,
        route.status,
    )


def _leg(leg: Leg) -> dict[str, object]:
    """Without what is not set."""
    stored = {"model_id": leg.model_id, "weight": leg.weight, "tier": leg.tier, "concurrency": leg.concurrency}
    return {name: value for name, value in (stored | asdict(leg.timeouts)).items() if value is not None}


def _to_vitals(state: str) -> Vitals:
    stored = json.loads(state)
    return Vitals(**{**stored, "breaker": Breaker(**stored["breaker"])})


def _taken(route: Route) -> ConflictError:
    return ConflictError(f"there is a route {route.name!r}", f"change it: softix routes set {route.name}")

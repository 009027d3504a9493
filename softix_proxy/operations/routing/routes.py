"""The operations that an operator can run on routes, which are names for several models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from softix_proxy.dialects.core.base import Endpoint
from softix_proxy.dialects.openai.realtime import REALTIME
from softix_proxy.dialects.registry import ENDPOINTS, provider_side
from softix_proxy.domain.access.authorization import access
from softix_proxy.domain.access.keys import Key, KeyLimits, KeyStatus
from softix_proxy.domain.catalog.models import NAME, NAME_RULE, Model
from softix_proxy.domain.catalog.providers import Provider
from softix_proxy.domain.core.clock import SECOND_US, format_instant, parse_duration_us
from softix_proxy.domain.core.errors import BadInputError, ConflictError, NotFoundError
from softix_proxy.domain.core.ids import new_public_id
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.domain.pricing.rates import Rate
from softix_proxy.domain.routing.directory import Directory
from softix_proxy.domain.routing.routes import ModelRoute, ReportedHealth, RouteLeg, RouteStatus
from softix_proxy.domain.routing.selection import Drop
from softix_proxy.operations.access import keys, users
from softix_proxy.operations.catalog import models

ASKED_BY: Mapping[str, Endpoint] = {**ENDPOINTS, REALTIME.name: REALTIME}
"""The endpoints at which clients may send requests."""
_MOST_LEGS = 64
_MOST_MS = 86_400_000
_TIMES: Mapping[str, str] = {"connect": "connect_ms", "first-byte": "first_byte_ms", "idle": "idle_ms"}
_COUNTS: Mapping[str, int] = {"weight": 1_000_000, "concurrency": 1_000_000}
_SYNTAX = "write for example: openai/gpt-5 weight 3, azure/gpt-5, then anthropic/claude-opus-4-1 first-byte 20s"


@dataclass(frozen=True, slots=True)
class RouteTarget:
    leg: RouteLeg
    model: Model
    provider: Provider

    @property
    def name(self) -> str:
        return f"{self.provider.name}/{self.model.name}"


@dataclass(frozen=True, slots=True)
class RouteDetails:
    route: ModelRoute
    targets: Sequence[RouteTarget]


@dataclass(frozen=True, slots=True)
class RouteCandidate:
    """One target of a hypothetical request, and the reason why it would be tried or not."""

    target: RouteTarget
    drop: Drop | None
    rate: Rate | None
    place: int | None
    """The position among the targets that would be tried: 1 is the first tier's. Weights decide within a tier."""
    reported: Sequence[ReportedHealth]
    """The health that each daemon reported that has used the target."""


async def set_route(
    storage: Storage,
    name: str,
    *,
    targets: str | None = None,
    retries: int | None = None,
    sticky: bool | None = None,
    timeouts: Mapping[str, int | None] | None = None,
) -> RouteDetails:
    """Makes a route, or changes the given values of one. Raises BadInputError, NotFoundError, ConflictError."""
    async with storage.writing() as unit:
        known = await unit.routes.find(name)
        if known is None:
            _check_name(name)
        if known is None and not targets:
            raise BadInputError(f"the route {name!r} needs targets", _SYNTAX)
        before = known or ModelRoute(
            0, new_public_id("rte"), name, (), retries=1, sticky=True, created_at_us=unit.clock.now_us()
        )
        changed = replace(
            before,
            legs=await _parse(unit, targets) if targets else before.legs,
            retries=before.retries if retries is None else retries,
            sticky=before.sticky if sticky is None else sticky,
            timeouts=replace(before.timeouts, **(timeouts or {})),
        )
        if known is None:
            await _refuse_taken(unit, name)
            changed = await unit.routes.add(changed)
        else:
            await unit.routes.update(changed)
        return await _shown(unit, changed)


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise BadInputError(f"not a usable name: {name!r}", f"{NAME_RULE}, for example gpt-best")


async def _refuse_taken(unit: Unit, name: str) -> None:
    """Refuses a name that begins with that of a provider, because such a name always means a model there."""
    provider, slash, _ = name.partition("/")
    if slash and await unit.providers.find(provider) is not None:
        raise ConflictError(
            f"{name} would be a model of {provider}", "a route needs a name of its own; a bare model name may be one"
        )


async def _parse(unit: Unit, text: str) -> tuple[RouteLeg, ...]:
    """Parses targets such as `openai/gpt-5 weight 3, azure/gpt-5 weight 1, then anthropic/claude-opus-4-1`."""
    legs: list[RouteLeg] = []
    tier = 0
    for part in text.removeprefix("=").split(","):
        words = part.split()
        if words[:1] == ["then"]:
            words = words[1:]
            tier += 1 if legs else 0
        if not words or len(words) % 2 == 0:
            raise BadInputError(f"not a target: {part.strip()!r}", _SYNTAX)
        leg = RouteLeg((await models.find(unit, words[0])).id, tier=tier)
        for option, value in zip(words[1::2], words[2::2], strict=True):
            leg = _with_option(leg, option, value)
        if any(other.model_id == leg.model_id for other in legs):
            raise BadInputError(f"{words[0]} is named twice", "give it one weight, in one tier")
        legs.append(leg)
    if len(legs) > _MOST_LEGS:
        raise BadInputError(f"a route has at most {_MOST_LEGS} targets", "leave some out")
    return tuple(legs)


def _with_option(leg: RouteLeg, option: str, value: str) -> RouteLeg:
    if option in _TIMES:
        return replace(leg, timeouts=replace(leg.timeouts, **{_TIMES[option]: parse_timeout_ms(value)}))
    if option not in _COUNTS:
        raise BadInputError(f"unknown option of a target: {option!r}", f"one of: {', '.join([*_COUNTS, *_TIMES])}")
    if not (value.isascii() and value.isdigit() and 0 < int(value) <= _COUNTS[option]):
        raise BadInputError(f"not a number for {option}: {value!r}", "write a whole number from 1 on")
    count = int(value)
    return replace(leg, weight=count) if option == "weight" else replace(leg, concurrency=count)


def parse_timeout_ms(text: str) -> int:
    """Parses `250ms`, or a duration. Raises BadInputError."""
    if text.endswith("ms") and text[:-2].isascii() and text[:-2].isdigit():
        ms = int(text[:-2])
    else:
        ms = parse_duration_us(text) // 1000
    if not 0 < ms <= _MOST_MS:
        raise BadInputError(f"not a time-out: {text!r}", "write for example 500ms, 20s or 2m; at most a day")
    return ms


async def list_all(storage: Storage) -> Sequence[RouteDetails]:
    """Returns the routes that were not removed."""
    async with storage.snapshot() as unit:
        return [await _shown(unit, r) for r in await unit.routes.list() if r.status is not RouteStatus.REMOVED]


async def show(storage: Storage, reference: str) -> RouteDetails:
    async with storage.snapshot() as unit:
        return await _shown(unit, await find(unit, reference))


async def set_status(storage: Storage, reference: str, status: RouteStatus) -> RouteDetails:
    """Sets the status. The name of a disabled route means the models of that name again, if there are any."""
    async with storage.writing() as unit:
        changed = replace(await find(unit, reference), status=status)
        await unit.routes.update(changed)
        return await _shown(unit, changed)


async def remove(storage: Storage, reference: str) -> RouteDetails:
    """Removes the route. Its name is free again."""
    async with storage.writing() as unit:
        route = await find(unit, reference)
        removed = replace(route, name=route.public_id, status=RouteStatus.REMOVED)
        await unit.routes.update(removed)
        return await _shown(unit, removed)


async def find(unit: Unit, reference: str) -> ModelRoute:
    """Returns the route with this id or name. Raises NotFoundError."""
    route = await unit.routes.find(reference)
    if route is None or route.status is RouteStatus.REMOVED:
        raise NotFoundError(f"no route {reference!r}", "see: softix routes list")
    return route


async def _shown(unit: Unit, route: ModelRoute) -> RouteDetails:
    targets = []
    for leg in route.legs:
        model = await unit.models.get(leg.model_id)
        targets.append(RouteTarget(leg, model, await unit.providers.get(model.provider_id)))
    return RouteDetails(route, targets)


async def explain(
    storage: Storage, *, model: str, user: str, key: str | None = None, endpoint: str | None = None
) -> Sequence[RouteCandidate]:
    """Returns the targets that a request of this user for this model would have now. Nothing is sent.

    Without a key it assumes one that may use every model. Without an endpoint it takes one that the targets speak.
    Raises NotFoundError.
    """
    directory = Directory()
    directory.apply(await storage.changes(0))
    unit = storage.reading()
    found = directory.route(model)
    if found is None:
        raise NotFoundError(f"no route or model {model!r}", "see: softix routes list, softix models list")
    owner = await users.find(unit, user)
    anyone = Key(0, "", owner.id, "", "", b"", (), (), KeyLimits(), KeyStatus.ACTIVE, None, 0)
    asking = await keys.find(unit, key) if key else anyone
    if asking.user_id != owner.id:
        raise BadInputError(f"the key {key!r} is not one of {owner.name}", f"see: softix keys list --user {owner.name}")
    now_us, reported = unit.clock.now_us(), await unit.routes.reported()
    candidates: list[RouteCandidate] = []
    for leg in found.legs:
        asked_model = directory.models[leg.model_id]
        provider = directory.providers[asked_model.provider_id]
        target = RouteTarget(leg, asked_model, provider)
        denial = access(owner, asking, provider, asked_model, route_name=directory.right_to(found))
        drop = None if denial is None else Drop(denial)
        if drop is None and not _speaks(provider, asked_model, endpoint):
            drop = Drop.DIALECT
        rate = directory.rate(owner.id, asked_model.id, now_us)
        told = [each for each in reported if each.model_id == asked_model.id]
        if drop is None:
            drop = Drop.UNPRICED if rate is None else _health(told, now_us)
        candidates.append(RouteCandidate(target, drop, rate, None, told))
    return _placed(candidates)


def _speaks(provider: Provider, model: Model, endpoint: str | None) -> bool:
    if endpoint is None:
        return True
    profile = provider.profile
    return provider_side(ASKED_BY[endpoint], profile.endpoints, profile.preferred, model.upstream_name) is not None


def _health(told: Sequence[ReportedHealth], now_us: int) -> Drop | None:
    """Returns the reason to skip a target only if every daemon that knows the target reports one."""
    if told and all(each.stats.breaker.state(now_us) == "open" for each in told):
        return Drop.BREAKER
    if told and all(each.stats.limited_until_us > now_us for each in told):
        return Drop.LIMIT
    return None


def _placed(candidates: Sequence[RouteCandidate]) -> Sequence[RouteCandidate]:
    tiers = sorted({candidate.target.leg.tier for candidate in candidates if candidate.drop is None})
    return [
        candidate if candidate.drop else replace(candidate, place=tiers.index(candidate.target.leg.tier) + 1)
        for candidate in candidates
    ]


@dataclass(frozen=True, slots=True)
class TargetHealth:
    target: RouteTarget
    reported: ReportedHealth


async def health(storage: Storage) -> Sequence[TargetHealth]:
    """Returns the health of targets that the daemons last reported."""
    async with storage.snapshot() as unit:
        found = []
        for reported in await unit.routes.reported():
            model = await unit.models.get(reported.model_id)
            provider = await unit.providers.get(model.provider_id)
            found.append(TargetHealth(RouteTarget(RouteLeg(model.id), model, provider), reported))
        return found


def health_fields(found: TargetHealth, now_us: int) -> dict[str, Any]:
    """Returns the health of a target as fields, as the CLI shows them."""
    stats, breaker = found.reported.stats, found.reported.stats.breaker
    return {
        "target": found.target.name,
        "slot": found.reported.slot,
        "breaker": breaker.state(now_us),
        "breaker_until": format_instant(breaker.open_until_us or None),
        "limited_s": max(stats.limited_until_us - now_us, 0) // SECOND_US,
        "latency_ms": round(stats.latency_us / 1000) if stats.latency_us else None,
        "error_rate": f"{stats.errors_ppm / 10_000:.1f}%",
        "requests": stats.requests,
        "failures": stats.failures,
        "in_flight": stats.in_flight,
        "last_error": stats.last_error,
        "reported_at": format_instant(found.reported.reported_at_us),
    }

"""What the daemons report of each target, as a page shows it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import NamedTuple

from softix_proxy.domain.routing.target_health import ALL_PPM
from softix_proxy.operations.routing.routes import TargetHealth

_FAILING_PPM = ALL_PPM // 2
"""The share of recent errors from which on a target counts as failing."""


class TargetSeverity(IntEnum):
    WELL = 0
    LIMITED = 1
    """The provider limits its requests now."""
    FAILING = 2
    """Every second recent request failed, or more."""
    PAUSED = 3
    """Its circuit breaker is open: nothing is sent to it."""


class TargetState(NamedTuple):
    """One target as one daemon sees it."""

    name: str
    slot: int
    severity: TargetSeverity
    requests: int
    failures: int
    latency_ms: int
    errors_percent: int
    last_error: str
    reported_at_us: int


def states_of(found: Iterable[TargetHealth], now_us: int) -> Mapping[str, list[TargetState]]:
    """Returns provider → the states of its targets."""
    states: dict[str, list[TargetState]] = {}
    for each in found:
        stats, reported = each.reported.stats, each.reported
        state = TargetState(
            name=each.target.name,
            slot=reported.slot,
            severity=_severity(each, now_us),
            requests=stats.requests,
            failures=stats.failures,
            latency_ms=stats.latency_us // 1000,
            errors_percent=stats.errors_ppm * 100 // ALL_PPM,
            last_error=stats.last_error or "",
            reported_at_us=reported.reported_at_us,
        )
        states.setdefault(each.target.provider.name, []).append(state)
    return states


def failing(found: Iterable[TargetHealth], now_us: int) -> list[TargetState]:
    """Returns the targets that are not well, the worst first."""
    every = [state for own in states_of(found, now_us).values() for state in own]
    return sorted((one for one in every if one.severity), key=lambda one: (-one.severity, one.name))


def _severity(each: TargetHealth, now_us: int) -> TargetSeverity:
    stats = each.reported.stats
    if stats.breaker.state(now_us) == "open":
        return TargetSeverity.PAUSED
    if stats.errors_ppm >= _FAILING_PPM:
        return TargetSeverity.FAILING
    return TargetSeverity.LIMITED if stats.limited_until_us > now_us else TargetSeverity.WELL

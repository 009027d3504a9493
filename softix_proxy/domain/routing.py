"""Which target takes a request, and which one after it: pure choices.

Chance is passed in as `draw(n)`: a number from 0 to below n.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from enum import StrEnum

from softix_proxy.domain.directory import Directory
from softix_proxy.domain.keys import Key
from softix_proxy.domain.models import ModelStatus
from softix_proxy.domain.providers import Provider, ProviderStatus
from softix_proxy.domain.routes import Route, RouteLeg
from softix_proxy.domain.users import User

Draw = Callable[[int], int]

BUSY = frozenset((429,))
UNWELL = frozenset((500, 502, 503, 504, 529))
"""The provider did no work, and may do it if it is asked again, or another may."""
KEY_REFUSED = frozenset((401, 402, 403))
"""Another key may do better, and so may another target; the same key will not."""
REPEATABLE = BUSY | UNWELL | KEY_REFUSED
"""Statuses of a provider at which the same request may be sent elsewhere, as long as the client has nothing of it."""

_FIRST_PAUSE_US = 250_000
_LONGEST_PAUSE_US = 8_000_000


class Drop(StrEnum):
    """Why a target is not taken, the weightiest first."""

    DISABLED = "disabled"
    NOT_ALLOWED = "not_allowed"
    REGION = "region"
    DIALECT = "dialect"
    UNPRICED = "unpriced"
    BREAKER = "breaker"
    LIMIT = "limit"


def in_regions(provider: Provider, user: User, key: Key) -> bool:
    """A provider whose region nobody told is in none."""
    return (not user.regions or provider.region in user.regions) and (not key.regions or provider.region in key.regions)


def is_allowed(directory: Directory, key: Key, route: Route, leg: RouteLeg) -> bool:
    """By the name of a route that the operator made, else by the model's own."""
    if not key.models:
        return True
    names = directory.names_of(directory.models[leg.model_id])
    return key.allows_model(route.name, *names) if route.id else key.allows_model(*names)


def judge(directory: Directory, user: User, key: Key, route: Route, leg: RouteLeg, *, speaks: bool) -> Drop | None:
    """What the directory says against a target, but for its price."""
    model = directory.models[leg.model_id]
    provider = directory.providers[model.provider_id]
    if model.status is not ModelStatus.ACTIVE or provider.status is not ProviderStatus.ACTIVE:
        return Drop.DISABLED
    if not is_allowed(directory, key, route, leg):
        return Drop.NOT_ALLOWED
    if not in_regions(provider, user, key):
        return Drop.REGION
    return None if speaks else Drop.DIALECT


def arrange(legs: Sequence[RouteLeg], draw: Draw, out: Collection[int] = (), preferred: int | None = None) -> list[int]:
    """Indices of these legs in the order in which they are tried.

    Tier by tier; within one the preferred first, then by lot with their weights; those that are `out` at the end.
    """
    order: list[int] = []
    for tier in sorted({leg.tier for leg in legs}):
        drawn = _by_lot([index for index, leg in enumerate(legs) if leg.tier == tier], legs, draw)
        if preferred in drawn:
            drawn.remove(preferred)
            drawn.insert(0, preferred)
        order += drawn
    return [index for index in order if index not in out] + [index for index in order if index in out]


def _by_lot(indices: list[int], legs: Sequence[RouteLeg], draw: Draw) -> list[int]:
    drawn: list[int] = []
    while len(indices) > 1:
        ticket = draw(sum(legs[index].weight for index in indices))
        for index in indices:
            ticket -= legs[index].weight
            if ticket < 0:
                break
        indices.remove(index)
        drawn.append(index)
    return drawn + indices


def pause_us(round_number: int, draw: Draw) -> int:
    """Before all targets are tried again: twice as long each time, between half and all of it, so that none meet."""
    longest_us = min(_FIRST_PAUSE_US << min(round_number, 10), _LONGEST_PAUSE_US)
    return longest_us // 2 + draw(longest_us // 2 + 1)

"""Chooses the target of a request, and the next target after a failure. The choices are pure.

Chance is passed in as `draw(n)`, which returns a number from 0 to below n.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from enum import StrEnum

from softix_proxy.domain.routing.routes import RouteLeg

Draw = Callable[[int], int]

BUSY = frozenset((429,))
UNWELL = frozenset((500, 502, 503, 504, 529))
"""The provider did no work at these statuses. It may do it if the request is repeated, and another may do it too."""
KEY_REFUSED = frozenset((401, 402, 403))
"""Another key or another target may succeed at these statuses. The same key will not."""
REPEATABLE = BUSY | UNWELL | KEY_REFUSED
"""The statuses after which the request may be sent elsewhere, as long as the client has received nothing."""

_FIRST_PAUSE_US = 250_000
_LONGEST_PAUSE_US = 8_000_000


class Drop(StrEnum):
    """The reason why a target is not used, the most important first. The first members are those of `AccessDenial`."""

    DISABLED = "disabled"
    NOT_ALLOWED = "not_allowed"
    REGION = "region"
    DIALECT = "dialect"
    UNPRICED = "unpriced"
    BREAKER = "breaker"
    LIMIT = "limit"


def arrange(legs: Sequence[RouteLeg], draw: Draw, out: Collection[int] = (), preferred: int | None = None) -> list[int]:
    """Returns the indices of these legs in the order in which they are tried.

    Tiers come in their order. Within a tier the preferred leg comes first, and then the others by lot with their
    weights. Legs that are `out` come at the end.
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
    """Returns the pause before all targets are tried again.

    It doubles each time. It is drawn from between half of it and all of it, so that requests do not retry together.
    """
    longest_us = min(_FIRST_PAUSE_US << min(round_number, 10), _LONGEST_PAUSE_US)
    return longest_us // 2 + draw(longest_us // 2 + 1)

"""The bounds that turned out to be too low, and what holds are widened by since then.

A hold is an upper bound of what a request costs. If a request costs more, the bound was wrong. From then on, requests
that are like it are held for more: by a factor, and at least by the amount that was missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from softix_proxy.domain.core.money import MAX_PICO

FACTOR_ONE = 1000
"""The factor that changes nothing, in thousandths."""
_MOST_TIMES = 2
"""The limit of what the factor makes of a hold, in multiples of the highest charge that was seen.

The factor of a small request says little about a large one. Without a limit, one small request could make every large
one too expensive for everybody.
"""
WHOLE_MODEL = ""
"""The member of a bound that is widened for all requests of a model."""


class Widening(NamedTuple):
    """What is added to a hold. All of it comes from charges that were above their holds."""

    excess_pico: int
    """The largest amount that was missing in a hold."""
    factor_permille: int
    """The largest ratio between a charge and its hold, in thousandths, rounded up."""
    dearest_pico: int
    """The highest charge that was above its hold."""

    def hold_pico(self, narrow_pico: int) -> int:
        """Returns the hold for a bound of this amount."""
        by_factor_pico = -(-narrow_pico * self.factor_permille // FACTOR_ONE)
        return max(narrow_pico + self.excess_pico, min(by_factor_pico, _MOST_TIMES * self.dearest_pico))

    def narrow_pico(self, funds_pico: int) -> int:
        """Returns the highest bound whose hold these funds pay for. It is negative if they pay for none."""
        most_pico = funds_pico - self.excess_pico
        if funds_pico < _MOST_TIMES * self.dearest_pico:
            most_pico = min(most_pico, funds_pico * FACTOR_ONE // self.factor_permille)
        return most_pico

    def also(self, other: Widening) -> Widening:
        """Returns a widening that adds at least as much as each of the two."""
        return Widening(*map(max, self, other))


@dataclass(frozen=True, slots=True)
class WidenedBound:
    """A bound that was exceeded: which, how often, and by how much."""

    id: int
    model_id: int
    member: str
    """The member of requests for which the bound is widened, by softix's own name. WHOLE_MODEL is all requests."""
    widening: Widening
    """What holds are widened by. An operator may have reset it to nothing."""
    times: int
    """The number of requests that cost more than was held for them."""
    missing_pico: int
    """The sum of what was missing in their holds."""
    uncharged_pico: int
    """The part of that sum which no balance could pay."""
    first_at_us: int
    last_at_us: int
    last_request_id: int

    @property
    def is_wider(self) -> bool:
        return self.widening.excess_pico > 0


@dataclass(frozen=True, slots=True)
class ExceededBound:
    """One request that cost more than was held for it, as the settlement records it."""

    model_id: int
    member: str
    widening: Widening
    missing_pico: int
    uncharged_pico: int
    at_us: int
    request_id: int


def exceeded(charge_pico: int, hold_pico: int, widened_pico: int) -> Widening:
    """Returns the widening under which this charge would have been within its hold.

    `widened_pico` is the part of the hold that an earlier widening had added. The new one replaces it.
    """
    narrow_pico = hold_pico - widened_pico
    factor_permille = -(-charge_pico * FACTOR_ONE // narrow_pico) if narrow_pico > 0 else FACTOR_ONE
    return Widening(
        excess_pico=charge_pico - narrow_pico,
        factor_permille=min(factor_permille, MAX_PICO),
        dearest_pico=charge_pico,
    )


Widenings = Mapping[str, Widening]
"""Member → what requests with it are widened by. WHOLE_MODEL applies to each request."""


def widening_of(found: Widenings, members: Sequence[str]) -> Widening | None:
    """Returns what a request with these members is widened by, or None if it is held for its bound alone."""
    several = [found[member] for member in (WHOLE_MODEL, *members) if member in found]
    if not several:
        return None
    whole = several[0]
    for other in several[1:]:
        whole = whole.also(other)
    return whole


class BoundStore(Protocol):
    """Stores the bounds that were exceeded. Settlements write them."""

    async def list(self) -> Sequence[WidenedBound]:
        """Returns all of them, the latest first."""
        ...

    async def reset(self, bound_id: int) -> None:
        """Ends the widening. The counts stay."""
        ...

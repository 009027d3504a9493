"""The most that a request can cost, and what holds are widened by if a bound turned out to be too low.

A hold is an upper bound of what a request costs. If a request costs more, the bound was wrong. From then on, requests
that are like it are held for more: by a factor, and at least by the amount that was missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol

from softix_proxy.domain.core.money import MAX_PICO
from softix_proxy.domain.core.records import record

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


@record(frozen=True, slots=True)
class Bound:
    """The most that a request can cost, as a function of how many output tokens it may produce."""

    fixed_pico: int = 0
    """The cost of input, hosted tools and fees, at the highest price that may apply."""
    token_num: int = 0
    token_den: int = 1
    """The cost of one output token for all choices of the request, in pico-USD, as a ratio of integers."""
    output_tokens: int = 0
    adjustable: bool = False
    """Whether the client set no limit, so that softix may write an affordable one into the request."""
    least_tokens: int = 1
    """The fewest output tokens that are useful as a response."""
    times: int = 1
    """The number of times that it may have to be paid. Failed attempts count too, if they are charged."""
    targets: tuple[Bound, ...] = ()
    """The bound of each target, if one of several may serve the request. The highest counts."""
    widening: Widening | None = None
    """What is added to the hold, because earlier requests of this kind cost more than was held for them."""
    call_limit: int | None = None
    """The number of calls of hosted tools to which softix limits the request, because the client set no limit."""
    with_calls: Callable[[int], Bound] | None = field(default=None, repr=False, compare=False)
    """Makes the bound of the request with a lower `call_limit`. It is called only if the funds are short."""

    def limited(self, call_limit: int | None) -> Bound:
        """Returns the bound if softix writes this limit on calls into the request, in place of its own."""
        return self if call_limit is None or self.with_calls is None else self.with_calls(call_limit)

    def within(self, funds_pico: int) -> Funding | None:
        """Returns the most of the request that these funds pay for, or None if they pay for nothing useful.

        If softix may limit the output, that is limited first, and then the calls of hosted tools. Both are as many as
        the funds allow.
        """
        hold_pico = self.hold_pico(self.output_tokens)
        if hold_pico <= funds_pico:
            return Funding(self, hold_pico)
        if self.adjustable and (tokens := self.affordable_tokens(funds_pico)) >= self.least_tokens:
            return Funding(self, self.hold_pico(tokens), tokens)
        found, fewest, most = None, 1, (self.call_limit or 1) - 1
        while fewest <= most:  # with more calls, a request never costs less
            calls = (fewest + most + 1) // 2
            funding = self.limited(calls).within(funds_pico)
            if funding is None:
                most = calls - 1
            else:
                found, fewest = funding._replace(call_limit=calls), calls + 1
        return found

    def hold_pico(self, output_tokens: int) -> int:
        hold_pico = self.fixed_pico - (-output_tokens * self.token_num // self.token_den)
        if self.widening is not None:
            hold_pico = self.widening.hold_pico(hold_pico)
        for target in self.targets:
            hold_pico = max(hold_pico, target.hold_pico(min(output_tokens, target.output_tokens)))
        return hold_pico * self.times

    def widened_pico(self, output_tokens: int) -> int:
        """Returns the part of the hold that is there only because bounds were widened."""
        narrow = replace(self, widening=None, targets=tuple(replace(each, widening=None) for each in self.targets))
        return self.hold_pico(output_tokens) - narrow.hold_pico(output_tokens)

    def affordable_tokens(self, funds_pico: int) -> int:
        """Returns the most output tokens that these funds pay for, or a negative number if the input alone costs
        more.
        """
        funds_pico //= self.times
        narrow_pico = funds_pico if self.widening is None else self.widening.narrow_pico(funds_pico)
        spare = narrow_pico - self.fixed_pico
        if spare < 0:
            return -1
        tokens = spare * self.token_den // self.token_num if self.token_num else self.output_tokens
        for target in self.targets:
            affordable = target.affordable_tokens(funds_pico)
            if affordable < target.output_tokens:
                tokens = min(tokens, affordable)
        return tokens


NOTHING = Bound()


class Funding(NamedTuple):
    """What the funds pay for."""

    bound: Bound
    """The bound of the request with the limits that softix writes."""
    hold_pico: int
    output_limit: int | None = None
    """The output limit to write. None if the funds pay for all output."""
    call_limit: int | None = None
    """The limit on calls to write. None if it stays as it is."""


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

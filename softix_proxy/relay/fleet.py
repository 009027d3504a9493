"""How the targets fare, in this process and in memory only: who may be asked now, with which key, and who rather not.

Nothing here refuses a request: where every target is out, the first is asked all the same, since refusing would be a
guess. Only an operator's own limit on concurrency always holds.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from softix_proxy.domain.clock import SECOND_US, Clock
from softix_proxy.domain.errors import Code
from softix_proxy.domain.health import Vitals
from softix_proxy.domain.providers import Provider, ProviderKey
from softix_proxy.domain.quotas import LONGEST_US, RemainingQuota, read
from softix_proxy.domain.routing import Draw, arrange
from softix_proxy.domain.sections import RoutingSection
from softix_proxy.domain.upstream import Headers
from softix_proxy.relay.plan import Target

log = logging.getLogger("softix.relay")
_DROP = "softix providers update %s --drop-field stream_options"
_PREFIXES_KEPT = 10_000
_PREFIX_LIVES_US = 3600 * SECOND_US
"""No provider keeps a prompt in its cache for longer."""
_LIMITED_US = 5 * SECOND_US
"""How long a key that is limited rests where the provider does not say."""


class Outcome(Enum):
    DONE = auto()
    """Also where the provider found fault with the request: it is well itself."""
    FAILED = auto()
    LIMITED = auto()
    REFUSED = auto()
    """It did not take the key."""
    ABANDONED = auto()
    """Nobody knows: the client left, or softix stopped."""

    @classmethod
    def of_fault(cls, code: Code) -> Outcome:
        """It is no fault of a provider, nor of a key, that softix has no connection for it."""
        return _OF_FAULTS.get(code, cls.FAILED)


_OF_FAULTS = {
    Code.PROVIDER_REFUSED: Outcome.REFUSED,
    Code.PROVIDER_BUSY: Outcome.ABANDONED,
    Code.OUT_OF_FILES: Outcome.ABANDONED,
}


@dataclass(frozen=True, slots=True)
class Care:
    """The operator's settings for it."""

    breaker_failures: int = 5
    breaker_pause_us: int = 10 * SECOND_US
    key_pause_us: int = 60 * SECOND_US

    @classmethod
    def of(cls, routing: RoutingSection) -> Care:
        pauses_us = (int(each * SECOND_US) for each in (routing.breaker_pause_s, routing.key_pause_s))
        return cls(routing.breaker_failures, *pauses_us)


@dataclass(slots=True)
class Lane:
    """One target with one key, whose limits the provider counts."""

    closed_until_us: int = 0
    requests: RemainingQuota | None = None
    tokens: RemainingQuota | None = None

    def until_us(self, tokens: int) -> int:
        """When it may be used again; 0 or past: now."""
        until_us = self.closed_until_us
        if self.requests is not None:
            until_us = max(until_us, self.requests.short_until_us(1))
        if self.tokens is not None:
            until_us = max(until_us, self.tokens.short_until_us(tokens))
        return until_us


@dataclass(slots=True)
class _Held:
    """A provider's key, and how its turns stand."""

    key: ProviderKey | None
    refused_until_us: int = 0
    turn: int = 0
    lanes: dict[int, Lane] = field(default_factory=dict)
    """By model."""

    def lane(self, model_id: int) -> Lane:
        lane = self.lanes.get(model_id)
        if lane is None:
            lane = self.lanes[model_id] = Lane()
        return lane

    def rests_until_us(self, model_id: int, tokens: int, latest_us: int) -> int:
        """When it may be used again; 0 or past: now. What is later than can be was noted while the clock was ahead."""
        lane, until_us = self.lanes.get(model_id), self.refused_until_us
        if lane is not None:
            until_us = max(until_us, lane.until_us(tokens))
        return until_us if until_us <= latest_us else 0


@dataclass(slots=True)
class Berth:
    """A place at a target for one attempt; to be left exactly once."""

    fleet: Fleet
    target: Target
    vitals: Vitals
    lane: Lane
    held: _Held
    started_ns: int

    @property
    def key(self) -> ProviderKey | None:
        return self.held.key

    def answered(self, headers: Headers) -> None:
        """The head of an answer, whatever it says."""
        clock = self.fleet.clock
        self.vitals.answered((clock.monotonic_ns() - self.started_ns) // 1000)
        quota = read(headers, clock.now_us())
        if quota is not None:
            self.lane.requests, self.lane.tokens = quota

    def refuses_usage_option(self) -> None:
        """Its provider has refused to be asked for usage, and then taken the same request without."""
        provider = self.target.provider
        if not self.fleet.refuses_usage_option(provider):
            self.fleet._usage_refused[provider.id] = provider  # noqa: SLF001 - a berth is a part of its fleet
            log.warning("a provider does not take stream_options: %s", _DROP % provider.name)

    def leave(self, outcome: Outcome, error: str | None = None, wait_us: int | None = None) -> None:
        """`wait_us`: how long the provider wants to be left alone."""
        vitals, breaker = self.vitals, self.vitals.breaker
        vitals.in_flight -= 1
        if outcome is Outcome.ABANDONED:
            breaker.abandon()
            return
        self.fleet.changed = True
        vitals.count(failed=outcome is Outcome.FAILED)
        if outcome is Outcome.DONE:
            if breaker.failures or breaker.open_until_us:
                breaker.succeed()
            return
        now_us, care = self.fleet.clock.now_us(), self.fleet.care
        vitals.last_error = error
        if outcome is Outcome.FAILED:
            breaker.fail(now_us, care.breaker_failures, care.breaker_pause_us)
            return
        breaker.succeed()  # it answers
        if outcome is Outcome.REFUSED:
            self.held.refused_until_us = now_us + care.key_pause_us
        else:
            self.lane.closed_until_us = now_us + (_LIMITED_US if wait_us is None else wait_us)
        vitals.limited_until_us = self.fleet.limited_until_us(self.target)


@dataclass(slots=True)
class Fleet:
    clock: Clock
    care: Care
    draw: Draw
    changed: bool = False
    """Since it was last told of."""
    _vitals: dict[int, Vitals] = field(default_factory=dict)
    _rings: dict[int, tuple[Provider, tuple[_Held, ...]]] = field(default_factory=dict)
    _usage_refused: dict[int, Provider] = field(default_factory=dict)
    _prefixes: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Hash → (model that served it, when); the oldest first."""

    def take(self, routing: RoutingSection) -> None:
        self.care = Care.of(routing)

    def arrange(self, targets: Sequence[Target], prefix: int | None, tokens: int) -> list[Target]:
        """In the order in which they are to be tried."""
        now_us = self.clock.now_us()
        model_id, at_us = self._prefixes.get(prefix, (0, 0)) if prefix is not None else (0, 0)
        preferred = None
        if now_us - at_us < _PREFIX_LIVES_US:
            preferred = next((n for n, target in enumerate(targets) if target.model.id == model_id), None)
        out = [n for n, target in enumerate(targets) if self.free_at_us(target, tokens) > now_us]
        return [targets[n] for n in arrange([target.leg for target in targets], self.draw, out, preferred)]

    def remember(self, prefix: int, target: Target) -> None:
        """What begins so was served there."""
        self._prefixes.pop(prefix, None)
        if len(self._prefixes) >= _PREFIXES_KEPT:
            del self._prefixes[next(iter(self._prefixes))]
        self._prefixes[prefix] = target.model.id, self.clock.now_us()

    def free_at_us(self, target: Target, tokens: int) -> int:
        """When nothing speaks against it any more, as far as is known; 0 or past: now."""
        vitals = self._of(target)
        now_us = self.clock.now_us()
        if target.leg.concurrency is not None and vitals.in_flight >= target.leg.concurrency:
            return now_us + SECOND_US
        if not vitals.breaker.lets(now_us):
            return max(vitals.breaker.open_until_us, now_us + SECOND_US)
        return self.limited_until_us(target, tokens)

    def limited_until_us(self, target: Target, tokens: int = 0) -> int:
        """When the first of its keys may be used again."""
        latest_us = self._latest_us(self.clock.now_us())
        return min(held.rests_until_us(target.model.id, tokens, latest_us) for held in self._ring(target))

    def _latest_us(self, now_us: int) -> int:
        """Until then a key may have to rest, and no longer."""
        return now_us + max(self.care.key_pause_us, LONGEST_US)

    def enter(self, target: Target, tokens: int, *, forced: bool = False) -> Berth | None:
        """None where it is out; if forced, only where it is full. With the key whose turn it is."""
        vitals = self._of(target)
        now_us = self.clock.now_us()
        if target.leg.concurrency is not None and vitals.in_flight >= target.leg.concurrency:
            return None
        if not (forced or vitals.breaker.lets(now_us)):
            return None
        ring, model_id = self._ring(target), target.model.id
        held, latest_us = ring[0], self._latest_us(now_us)
        if len(ring) > 1:
            usable = [each for each in ring if each.rests_until_us(model_id, tokens, latest_us) <= now_us]
            if len(usable) > 1:
                held = _next_turn(usable)
            else:
                held = usable[0] if usable else min(ring, key=lambda n: n.rests_until_us(model_id, tokens, latest_us))
        if not forced and held.rests_until_us(model_id, tokens, latest_us) > now_us:
            return None
        vitals.breaker.enter()
        vitals.in_flight += 1
        return Berth(self, target, vitals, held.lane(model_id), held, self.clock.monotonic_ns())

    def refuses_usage_option(self, provider: Provider) -> bool:
        """As it has turned out since its row was last changed; what the row itself says is not looked at."""
        return self._usage_refused.get(provider.id) is provider

    def vitals(self) -> list[Vitals]:
        return list(self._vitals.values())

    def _of(self, target: Target) -> Vitals:
        vitals = self._vitals.get(target.model.id)
        if vitals is None:
            vitals = self._vitals[target.model.id] = Vitals(target.model.id)
        return vitals

    def _ring(self, target: Target) -> tuple[_Held, ...]:
        """Made anew where the provider's row is another one: a key given just now is not the refused one."""
        provider = target.provider
        known = self._rings.get(provider.id)
        if known is None or known[0] is not provider:
            ring = tuple(_Held(key) for key in provider.keys) or (_Held(None),)
            known = self._rings[provider.id] = provider, ring
        return known[1]


def _next_turn(usable: Sequence[_Held]) -> _Held:
    """Smooth weighted round robin: each gains its weight, the one ahead goes and gives up the sum."""
    total = 0
    for held in usable:
        weight = 1 if held.key is None else held.key.weight
        held.turn += weight
        total += weight
    ahead = max(usable, key=lambda held: held.turn)
    ahead.turn -= total
    return ahead

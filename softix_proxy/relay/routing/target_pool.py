"""Tracks how targets perform, in this process and in memory only, and chooses the target and the key of an attempt.

Nothing here refuses a request. If every target is unavailable, the first one is called anyway, because a refusal would
be based on a guess. Only the operator's own limit on concurrency always holds.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from softix_proxy.domain.access.objects import NO_KEY, AccountPlace
from softix_proxy.domain.catalog.providers import Provider, ProviderKey
from softix_proxy.domain.core.clock import SECOND_US, Clock
from softix_proxy.domain.core.errors import Code
from softix_proxy.domain.core.headers import Headers
from softix_proxy.domain.instance.sections import RoutingSection
from softix_proxy.domain.routing.quotas import LONGEST_US, RemainingQuota, read
from softix_proxy.domain.routing.selection import Draw, arrange
from softix_proxy.domain.routing.target_health import TargetStats
from softix_proxy.relay.core.plan import Target

log = logging.getLogger("softix.relay")
_DROP = "softix providers update %s --drop-field stream_options"
_PREFIXES_KEPT = 10_000
_PREFIX_LIVES_US = 3600 * SECOND_US
"""The time for which a prefix is remembered. No provider caches a prompt for longer."""
_LIMITED_US = 5 * SECOND_US
"""The time for which a limited key is not used if the provider states none."""


class AttemptOutcome(Enum):
    """The finding of one attempt about its target."""

    DONE = auto()
    """The target is healthy. The provider may still have found fault with the request."""
    FAILED = auto()
    LIMITED = auto()
    REFUSED = auto()
    """The target did not accept the key."""
    ABANDONED = auto()
    """Nothing is known: the client left, or softix stopped."""

    @classmethod
    def of_fault(cls, code: Code) -> AttemptOutcome:
        """Returns the outcome for a fault. A provider or a key is not to blame if softix has no connection for it."""
        return _OF_FAULTS.get(code, cls.FAILED)


_OF_FAULTS = {
    Code.PROVIDER_REFUSED: AttemptOutcome.REFUSED,
    Code.PROVIDER_BUSY: AttemptOutcome.ABANDONED,
    Code.OUT_OF_FILES: AttemptOutcome.ABANDONED,
}
_NO_NAMES: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class BreakerSettings:
    """The operator's settings for the circuit breakers and for pauses of keys."""

    breaker_failures: int = 5
    breaker_pause_us: int = 10 * SECOND_US
    key_pause_us: int = 60 * SECOND_US

    @classmethod
    def of(cls, routing: RoutingSection) -> BreakerSettings:
        pauses_us = (int(each * SECOND_US) for each in (routing.breaker_pause_s, routing.key_pause_s))
        return cls(routing.breaker_failures, *pauses_us)


@dataclass(slots=True)
class KeyQuota:
    """The limits of one target with one key, as the provider counts them."""

    closed_until_us: int = 0
    requests: RemainingQuota | None = None
    tokens: RemainingQuota | None = None

    def until_us(self, tokens: int) -> int:
        """Returns when the key may be used again. 0 or a past time means now."""
        until_us = self.closed_until_us
        if self.requests is not None:
            until_us = max(until_us, self.requests.short_until_us(1))
        if self.tokens is not None:
            until_us = max(until_us, self.tokens.short_until_us(tokens))
        return until_us


@dataclass(slots=True)
class _Held:
    """A key of a provider, and its state in the rotation of keys."""

    key: ProviderKey | None
    refused_until_us: int = 0
    turn: int = 0
    key_quotas: dict[int, KeyQuota] = field(default_factory=dict)
    """The quotas by the id of the model."""

    @property
    def label(self) -> str:
        return NO_KEY if self.key is None else self.key.label

    def key_quota(self, model_id: int) -> KeyQuota:
        key_quota = self.key_quotas.get(model_id)
        if key_quota is None:
            key_quota = self.key_quotas[model_id] = KeyQuota()
        return key_quota

    def rests_until_us(self, model_id: int, tokens: int, latest_us: int) -> int:
        """Returns when the key may be used again. 0 or a past time means now.

        A time later than `latest_us` was recorded while the clock was ahead, so it is ignored.
        """
        key_quota, until_us = self.key_quotas.get(model_id), self.refused_until_us
        if key_quota is not None:
            until_us = max(until_us, key_quota.until_us(tokens))
        return until_us if until_us <= latest_us else 0


@dataclass(slots=True)
class Lease:
    """A lease on one target for one attempt. It must be left exactly once."""

    target_pool: TargetPool
    target: Target
    stats: TargetStats
    key_quota: KeyQuota
    held: _Held
    started_ns: int

    @property
    def key(self) -> ProviderKey | None:
        return self.held.key

    @property
    def place(self) -> AccountPlace:
        """The account whose key this is."""
        return AccountPlace(self.target.provider.id, self.held.label)

    def answered(self, headers: Headers) -> None:
        """Records that the head of a response came, whatever its status, and reads the quota from its headers."""
        clock = self.target_pool.clock
        self.stats.answered((clock.monotonic_ns() - self.started_ns) // 1000)
        quota = read(headers, clock.now_us())
        if quota is not None:
            self.key_quota.requests, self.key_quota.tokens = quota

    def refuses_usage_option(self) -> None:
        """Records that the provider refused the usage option, and then accepted the same request without it."""
        provider = self.target.provider
        if not self.target_pool.refuses_usage_option(provider):
            self.target_pool._usage_refused[provider.id] = provider  # noqa: SLF001 - a lease is part of its pool
            log.warning("a provider does not take stream_options: %s", _DROP % provider.name)

    def refuses_limits(self, names: frozenset[str]) -> None:
        """Records that the provider refused these added names of the output limit, and then accepted the request."""
        pool, provider = self.target_pool, self.target.provider
        pool._limits_refused[provider.id] = provider, pool.refused_limits(provider) | names  # noqa: SLF001 - as above

    def leave(self, outcome: AttemptOutcome, error: str | None = None, wait_us: int | None = None) -> None:
        """Ends the lease and records the outcome.

        `wait_us` is the time for which the provider wants no further requests.
        """
        stats, breaker = self.stats, self.stats.breaker
        stats.in_flight -= 1
        if outcome is AttemptOutcome.ABANDONED:
            breaker.abandon()
            return
        self.target_pool.changed = True
        stats.count(failed=outcome is AttemptOutcome.FAILED)
        if outcome is AttemptOutcome.DONE:
            if breaker.failures or breaker.open_until_us:
                breaker.succeed()
            return
        now_us, care = self.target_pool.clock.now_us(), self.target_pool.care
        stats.last_error = error
        if outcome is AttemptOutcome.FAILED:
            breaker.fail(now_us, care.breaker_failures, care.breaker_pause_us)
            return
        breaker.succeed()  # the target responds
        if outcome is AttemptOutcome.REFUSED:
            self.held.refused_until_us = now_us + care.key_pause_us
        else:
            self.key_quota.closed_until_us = now_us + (_LIMITED_US if wait_us is None else wait_us)
        stats.limited_until_us = self.target_pool.limited_until_us(self.target)


@dataclass(slots=True)
class TargetPool:
    """The statistics, circuit breakers and key rotations of all targets."""

    clock: Clock
    care: BreakerSettings
    draw: Draw
    changed: bool = False
    """Whether something has changed since the last report."""
    _stats: dict[int, TargetStats] = field(default_factory=dict)
    _rings: dict[int, tuple[Provider, tuple[_Held, ...]]] = field(default_factory=dict)
    _usage_refused: dict[int, Provider] = field(default_factory=dict)
    _limits_refused: dict[int, tuple[Provider, frozenset[str]]] = field(default_factory=dict)
    _prefixes: dict[int, tuple[int, int]] = field(default_factory=dict)
    """The last use of each prefix: hash → (model that served it, when). The oldest is first."""

    def take(self, routing: RoutingSection) -> None:
        self.care = BreakerSettings.of(routing)

    def arrange(self, targets: Sequence[Target], prefix: int | None, tokens: int) -> list[Target]:
        """Returns the targets in the order in which they are to be tried."""
        now_us = self.clock.now_us()
        model_id, at_us = self._prefixes.get(prefix, (0, 0)) if prefix is not None else (0, 0)
        preferred = None
        if now_us - at_us < _PREFIX_LIVES_US:
            preferred = next((n for n, target in enumerate(targets) if target.model.id == model_id), None)
        out = [n for n, target in enumerate(targets) if self.free_at_us(target, tokens) > now_us]
        return [targets[n] for n in arrange([target.leg for target in targets], self.draw, out, preferred)]

    def remember(self, prefix: int, target: Target) -> None:
        """Records that this target served a request with this prefix."""
        self._prefixes.pop(prefix, None)
        if len(self._prefixes) >= _PREFIXES_KEPT:
            del self._prefixes[next(iter(self._prefixes))]
        self._prefixes[prefix] = target.model.id, self.clock.now_us()

    def free_at_us(self, target: Target, tokens: int) -> int:
        """Returns when the target is expected to be available. 0 or a past time means now."""
        stats = self._of(target)
        now_us = self.clock.now_us()
        if target.leg.concurrency is not None and stats.in_flight >= target.leg.concurrency:
            return now_us + SECOND_US
        if not stats.breaker.lets(now_us):
            return max(stats.breaker.open_until_us, now_us + SECOND_US)
        return self.limited_until_us(target, tokens)

    def limited_until_us(self, target: Target, tokens: int = 0) -> int:
        """Returns when the first of the target's keys may be used again."""
        latest_us = self._latest_us(self.clock.now_us())
        return min(held.rests_until_us(target.model.id, tokens, latest_us) for held in self._ring(target))

    def _latest_us(self, now_us: int) -> int:
        """Returns the latest time until which a key can have to pause."""
        return now_us + max(self.care.key_pause_us, LONGEST_US)

    def enter(self, target: Target, tokens: int, *, forced: bool = False, account: str | None = None) -> Lease | None:
        """Returns a lease with the key whose turn it is, or None if the target is unavailable.

        If `forced`, it returns None only if the target is full. `account` is the label of the only key that may be
        used, if there is one.
        """
        stats = self._of(target)
        now_us = self.clock.now_us()
        if target.leg.concurrency is not None and stats.in_flight >= target.leg.concurrency:
            return None
        if not (forced or stats.breaker.lets(now_us)):
            return None
        ring, model_id = self._ring(target), target.model.id
        if account is not None:
            ring = tuple(each for each in ring if each.label == account)
            if not ring:  # the key was removed since the request was admitted
                return None
        held, latest_us = ring[0], self._latest_us(now_us)
        if len(ring) > 1:
            usable = [each for each in ring if each.rests_until_us(model_id, tokens, latest_us) <= now_us]
            if len(usable) > 1:
                held = _next_turn(usable)
            else:
                held = usable[0] if usable else min(ring, key=lambda n: n.rests_until_us(model_id, tokens, latest_us))
        if not forced and held.rests_until_us(model_id, tokens, latest_us) > now_us:
            return None
        stats.breaker.enter()
        stats.in_flight += 1
        return Lease(self, target, stats, held.key_quota(model_id), held, self.clock.monotonic_ns())

    def refuses_usage_option(self, provider: Provider) -> bool:
        """Returns whether the provider has refused the usage option since its row was last changed.

        The settings in the row itself are not considered.
        """
        return self._usage_refused.get(provider.id) is provider

    def refused_limits(self, provider: Provider) -> frozenset[str]:
        """Returns the added names of the output limit that the provider refused since its row was last changed."""
        found = self._limits_refused.get(provider.id)
        return found[1] if found is not None and found[0] is provider else _NO_NAMES

    def stats(self) -> list[TargetStats]:
        return list(self._stats.values())

    def _of(self, target: Target) -> TargetStats:
        stats = self._stats.get(target.model.id)
        if stats is None:
            stats = self._stats[target.model.id] = TargetStats(target.model.id)
        return stats

    def _ring(self, target: Target) -> tuple[_Held, ...]:
        """Returns the keys of the target's provider.

        They are rebuilt if the provider's row was replaced, so that a new key does not inherit the refusal of an old
        one.
        """
        provider = target.provider
        known = self._rings.get(provider.id)
        if known is None or known[0] is not provider:
            ring = tuple(_Held(key) for key in provider.keys) or (_Held(None),)
            known = self._rings[provider.id] = provider, ring
        return known[1]


def _next_turn(usable: Sequence[_Held]) -> _Held:
    """Chooses a key by smooth weighted round robin.

    Each key gains its weight. The key with the most is used, and the sum of the weights is subtracted from it.
    """
    total = 0
    for held in usable:
        weight = 1 if held.key is None else held.key.weight
        held.turn += weight
        total += weight
    ahead = max(usable, key=lambda held: held.turn)
    ahead.turn -= total
    return ahead

"""Chooses the target of an admitted request, and the next one after a failure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.domain.routing.selection import pause_us
from softix_proxy.relay.core.plan import Plan, Target
from softix_proxy.relay.routing.target_pool import AttemptOutcome, Lease, TargetPool

_LONGEST_WAIT_US = 30 * SECOND_US
"""The longest wait for a target. If it would be longer, the client is told when to come back."""


@dataclass(slots=True)
class RetryPlan:
    """The order of the attempts of one request.

    Every target is tried once, in order. If retries are left, all targets that may do better are tried again after a
    pause.
    """

    target_pool: TargetPool
    plan: Plan
    _queue: Sequence[Target] = ()
    _hopeless: frozenset[int] = frozenset()
    """The models that another round does not help: they accept no key, or they cannot express the request."""
    _tries: int = 0
    _round: int = 0

    def first(self) -> Lease | None:
        """Returns a lease on the first target, or None if all are full."""
        self._queue = self.plan.targets
        lease = self._next_of_queue()
        if lease is None:
            self._queue = self.plan.targets
            lease = self._next_of_queue(forced=True)
        return lease

    def instead_of(self, target: Target) -> Lease | None:
        """Returns a lease in place of a target that cannot be called at all.

        This target does not count as a try, and it is not tried again.
        """
        self._tries -= 1
        self._hopeless |= {target.model.id}
        return self._next_of_queue()

    def may_go_on(self) -> bool:
        """Returns whether another try is possible after the current one. The body is needed for as long."""
        return self._tries < self.plan.tries

    def after(self, failed: Target, outcome: AttemptOutcome) -> tuple[Lease | None, int]:
        """Returns the next lease or None, and the time in µs to wait before `again` is called for it."""
        if self._tries >= self.plan.tries:
            return None, 0
        if outcome in (AttemptOutcome.LIMITED, AttemptOutcome.REFUSED):
            lease = self._enter(failed)  # this uses another of the target's keys
            if lease is not None:
                return lease, 0
            if outcome is AttemptOutcome.REFUSED:
                self._hopeless |= {failed.model.id}
        lease = self._next_of_queue()
        if lease is not None:
            return lease, 0
        return None, self._pause_us()

    def again(self) -> Lease | None:
        """Returns a lease after the pause: on the first free target, or else on the one that will be free first."""
        self._queue = self._hopeful()
        lease = self._next_of_queue()
        if lease is None:
            soonest = sorted(self._hopeful(), key=self._free_at_us)
            self._queue = soonest
            lease = self._next_of_queue(forced=True)
        return lease

    def _pause_us(self) -> int:
        """Returns the length of the pause. It is 0 if there is no other round."""
        hopeful = self._hopeful()
        if self._round >= self.plan.retries or not hopeful:
            return 0
        now_us = self.target_pool.clock.now_us()
        until_free_us = min(map(self._free_at_us, hopeful)) - now_us
        wait_us = max(pause_us(self._round, self.target_pool.draw), until_free_us)
        self._round += 1
        return wait_us if wait_us <= _LONGEST_WAIT_US else 0

    def _hopeful(self) -> list[Target]:
        return [target for target in self.plan.targets if target.model.id not in self._hopeless]

    def _free_at_us(self, target: Target) -> int:
        return self.target_pool.free_at_us(target, self.plan.intent.tokens_estimate)

    def _next_of_queue(self, *, forced: bool = False) -> Lease | None:
        while self._queue:
            target, self._queue = self._queue[0], self._queue[1:]
            lease = self._enter(target, forced=forced)
            if lease is not None:
                return lease
        return None

    def _enter(self, target: Target, *, forced: bool = False) -> Lease | None:
        plan = self.plan
        lease = self.target_pool.enter(target, plan.intent.tokens_estimate, forced=forced, account=plan.account)
        self._tries += lease is not None
        return lease

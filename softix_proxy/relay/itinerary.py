"""Which target an admitted request goes to, and which after that one failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from softix_proxy.domain.clock import SECOND_US
from softix_proxy.domain.routing import pause_us
from softix_proxy.relay.fleet import Berth, Fleet, Outcome
from softix_proxy.relay.plan import Plan, Target

_LONGEST_WAIT_US = 30 * SECOND_US
"""A client is not kept waiting for longer: it is told when to come back instead."""


@dataclass(slots=True)
class Itinerary:
    """Every target once, in its order; then, where retries are left, all that may do better, after a pause."""

    fleet: Fleet
    plan: Plan
    _queue: Sequence[Target] = ()
    _hopeless: frozenset[int] = frozenset()
    """Models that another round does not help: none of their keys is taken, or they cannot be told the request."""
    _tries: int = 0
    _round: int = 0

    def first(self) -> Berth | None:
        """None where all are full."""
        self._queue = self.plan.targets
        berth = self._next_of_queue()
        if berth is None:
            self._queue = self.plan.targets
            berth = self._next_of_queue(forced=True)
        return berth

    def instead_of(self, target: Target) -> Berth | None:
        """In place of one that cannot even be asked: it counts for no try, and is not tried again."""
        self._tries -= 1
        self._hopeless |= {target.model.id}
        return self._next_of_queue()

    def may_go_on(self) -> bool:
        """Whether another try is possible at all after the one under way: so long the body is needed."""
        return self._tries < self.plan.tries

    def after(self, failed: Target, outcome: Outcome) -> tuple[Berth | None, int]:
        """The next one, or none; and how long to wait, in µs, before `again` is to be asked for it."""
        if self._tries >= self.plan.tries:
            return None, 0
        if outcome in (Outcome.LIMITED, Outcome.REFUSED):
            berth = self._enter(failed)  # with another of its keys
            if berth is not None:
                return berth, 0
            if outcome is Outcome.REFUSED:
                self._hopeless |= {failed.model.id}
        berth = self._next_of_queue()
        if berth is not None:
            return berth, 0
        return None, self._pause_us()

    def again(self) -> Berth | None:
        """After the pause: the first that is free by now, or else the one that will be first."""
        self._queue = self._hopeful()
        berth = self._next_of_queue()
        if berth is None:
            soonest = sorted(self._hopeful(), key=self._free_at_us)
            self._queue = soonest
            berth = self._next_of_queue(forced=True)
        return berth

    def _pause_us(self) -> int:
        """0: there is no other round."""
        hopeful = self._hopeful()
        if self._round >= self.plan.retries or not hopeful:
            return 0
        now_us = self.fleet.clock.now_us()
        until_free_us = min(map(self._free_at_us, hopeful)) - now_us
        wait_us = max(pause_us(self._round, self.fleet.draw), until_free_us)
        self._round += 1
        return wait_us if wait_us <= _LONGEST_WAIT_US else 0

    def _hopeful(self) -> list[Target]:
        return [target for target in self.plan.targets if target.model.id not in self._hopeless]

    def _free_at_us(self, target: Target) -> int:
        return self.fleet.free_at_us(target, self.plan.intent.tokens_estimate)

    def _next_of_queue(self, *, forced: bool = False) -> Berth | None:
        while self._queue:
            target, self._queue = self._queue[0], self._queue[1:]
            berth = self._enter(target, forced=forced)
            if berth is not None:
                return berth
        return None

    def _enter(self, target: Target, *, forced: bool = False) -> Berth | None:
        berth = self.fleet.enter(target, self.plan.intent.tokens_estimate, forced=forced)
        self._tries += berth is not None
        return berth

"""Lets the rules look at what is new, in portions. No request waits for it.

A key is looked at again in an hour only when what it did has doubled. So a key costs a handful of looks an hour,
however busy it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from softix_proxy.domain.abuse.abuse import EVERY_KEY, Tuning
from softix_proxy.domain.abuse.abuse_tally import AbuseTally
from softix_proxy.domain.abuse.evidence import HOUR_US, HOURS_A_WEEK, HourUse, KeyHours, Registrations
from softix_proxy.domain.abuse.rule import Suspicion
from softix_proxy.domain.abuse.rule_table import RULES
from softix_proxy.domain.access.roles import OperatorRoles
from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.ports.storage import Storage
from softix_proxy.operations.abuse import actions, alerts
from softix_proxy.operations.abuse.abuse import RuleInForce, in_force
from softix_proxy.operations.abuse.key_places import nowhere, places_of

HISTORY_HOURS = 5 * HOURS_A_WEEK
"""How far back the rules see."""
_PORTION_ROWS = 2000
_MOST_PORTIONS = 50
"""The most portions of new rows in one look. What is left is for the next."""
_PORTION_KEYS = 100
_MOST_ENDED = 100
_PURGED_AT_ONCE = 500
_MOST_SUBJECTS = 200
_MOST_REGISTRATIONS = 2000
_KEEP_ALERTS_US = 400 * DAY_US

Tunings = Mapping[str, Tuning]


class AbuseWatch:
    """Looks again and again with the same memory of what it saw."""

    def __init__(
        self,
        storage: Storage,
        roles: OperatorRoles,
        tally: AbuseTally,
        country_of: Callable[[str], str] = nowhere,
    ) -> None:
        """`country_of` returns the two letters of an address's country, or nothing."""
        self._storage = storage
        self._roles = roles
        self._tally = tally
        self._country_of = country_of
        self._hour = 0
        self._seen: dict[int, HourUse] = {}

    async def look(self) -> int:
        """Gathers what is new, undoes what has lasted for its time, and raises alerts. Returns how many."""
        await self.gather()
        async with self._storage.writing() as unit:
            await actions.undo_ended(unit, _MOST_ENDED)
        return await self._look_at_keys() + await self._look_at_people()

    async def gather(self) -> None:
        """Adds new rows of usage, and what this process refused, to the sums. Each portion is a transaction."""
        by_key, by_network = self._tally.drain()
        if by_key or by_network:
            async with self._storage.writing() as unit:
                await unit.abuse.add_refusals(unit.clock.now_us() // HOUR_US, by_key, by_network)
        for _ in range(_MOST_PORTIONS):
            async with self._storage.writing() as unit:
                if await unit.abuse.gather(_PORTION_ROWS) < _PORTION_ROWS:
                    return

    async def purge(self) -> int:
        """Removes sums that no rule sees any more, and old alerts. Returns how many rows."""
        total = 0
        while True:
            async with self._storage.writing() as unit:
                now_us = unit.clock.now_us()
                removed = await unit.abuse.purge(
                    now_us // HOUR_US - HISTORY_HOURS, now_us - _KEEP_ALERTS_US, _PURGED_AT_ONCE
                )
            total += removed
            if removed < _PURGED_AT_ONCE:
                return total

    async def _look_at_keys(self) -> int:
        raised, after_key_id = 0, 0
        reading = self._storage.reading()
        hour = reading.clock.now_us() // HOUR_US
        if hour != self._hour:
            self._hour, self._seen = hour, {}
        for_all = await reading.abuse.tunings(EVERY_KEY)
        while portion := await reading.abuse.active_keys(hour, after_key_id, _PORTION_KEYS):
            after_key_id = portion[-1][0]
            for key_id, now in portion:
                if self._is_news(key_id, now):
                    use = await reading.abuse.key_use(key_id, hour, hour - HISTORY_HOURS)
                    raised += await self._look_at_key(use, for_all, await reading.abuse.tunings(key_id))
        return raised

    async def _look_at_people(self) -> int:
        """Lets the rules look at networks, accounts and payments: few rows, found by their time."""
        reading, raised = self._storage.reading(), 0
        store, now_us = reading.abuse, reading.clock.now_us()
        for_all = await store.tunings(EVERY_KEY)
        looked_at: list[object] = [
            *await store.guesses(now_us - HOUR_US, _MOST_SUBJECTS),
            Registrations(await store.registrations(now_us - DAY_US, _MOST_REGISTRATIONS)),
            *await store.payment_tries(now_us - DAY_US, _MOST_SUBJECTS),
        ]
        for evidence in looked_at:
            raised += await self._raise(found_in(evidence, for_all, {}))
        return raised

    def _is_news(self, key_id: int, now: HourUse) -> bool:
        seen = self._seen.get(key_id)
        if seen is not None and all(value < max(2 * before, 1) for value, before in zip(now, seen, strict=True)):
            return False
        self._seen[key_id] = now
        return True

    async def _look_at_key(self, use: KeyHours, for_all: Tunings, for_key: Tunings) -> int:
        places = await places_of(self._storage.reading(), use, self._country_of)
        return await self._raise([*found_in(use, for_all, for_key), *found_in(places, for_all, for_key)])

    async def _raise(self, found: Sequence[tuple[RuleInForce, Suspicion]]) -> int:
        if not found:
            return 0
        raised: Counter[str] = Counter()
        async with self._storage.writing() as unit:
            for rule, suspicion in found:
                if await alerts.raise_alert(unit, rule, suspicion, self._roles) is not None:
                    raised[rule.rule.name] += 1
        self._tally.alerts += raised
        return raised.total()


def found_in(evidence: object, for_all: Tunings, for_key: Tunings) -> Sequence[tuple[RuleInForce, Suspicion]]:
    """Returns what the rules for this kind of evidence notice in it, if they are switched on."""
    rules = [
        in_force(rule, for_all.get(name), for_key.get(name))
        for name, rule in RULES.items()
        if rule.evidence is type(evidence)
    ]
    return [
        (rule, suspicion) for rule in rules if rule.enabled for suspicion in rule.rule.find(evidence, rule.thresholds)
    ]

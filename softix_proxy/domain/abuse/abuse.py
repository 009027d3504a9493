"""The alerts of the rules against abuse, what was done about them, and what operators tuned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from softix_proxy.domain.abuse.evidence import Guesses, HourUse, KeyHours, PaymentTries, Registration
from softix_proxy.domain.abuse.rule import AbuseAction, Suspicion

EVERY_KEY = 0
"""Stands for all keys in `Tuning.key_id`."""


@dataclass(frozen=True, slots=True)
class AbuseAlert:
    """What a rule noticed, once, however long it lasts."""

    id: int
    public_id: str
    rule: str
    subject: str
    key_id: int | None
    user_id: int | None
    text: str = field(repr=False)
    figures: Mapping[str, int] = field(repr=False)
    first_us: int
    last_us: int
    """When it was noticed last."""
    acked_us: int | None = None
    """When somebody took note of it. Until then it is open."""


@dataclass(frozen=True, slots=True)
class TakenAction:
    """What was done about an alert. It lasts until it is undone, or until its end."""

    id: int
    public_id: str
    alert_id: int
    action: AbuseAction
    key_id: int | None
    before: Mapping[str, Any] = field(repr=False)
    """What an undo restores."""
    began_us: int
    until_us: int | None
    undone_us: int | None = None


@dataclass(frozen=True, slots=True)
class Tuning:
    """What an operator changed of a rule, for every key or for one."""

    rule: str
    key_id: int
    enabled: bool | None = None
    action: AbuseAction | None = None
    thresholds: Mapping[str, int] = field(default_factory=dict)


class SuspendedKey(NamedTuple):
    """A key that was suspended, and why."""

    key: str
    name: str
    prefix: str
    text: str
    since_us: int


class AbuseStore(Protocol):
    """Stores alerts, actions and tunings, and gathers what the rules look at."""

    async def gather(self, most: int) -> int:
        """Adds up to so many new rows of usage to the sums of hours. Returns how many rows there were."""
        ...

    async def add_refusals(self, hour: int, by_key: Mapping[int, int], by_network: Mapping[str, int]) -> None:
        """Adds the requests that were refused, by key, and the invalid keys, by network."""
        ...

    async def active_keys(self, hour: int, after_key_id: int, most: int) -> Sequence[tuple[int, HourUse]]:
        """Returns the keys with use or refusals in the hour, and what they did in it, in the order of their numbers."""
        ...

    async def key_use(self, key_id: int, hour: int, since_hour: int) -> KeyHours: ...

    async def guesses(self, since_us: int, most: int) -> Sequence[Guesses]:
        """Returns the networks with the most failures since then."""
        ...

    async def registrations(self, since_us: int, most: int) -> Sequence[Registration]: ...

    async def payment_tries(self, since_us: int, most: int) -> Sequence[PaymentTries]: ...

    async def key_of_digest(self, digest: bytes) -> int | None:
        """Returns the number of the key with this digest."""
        ...

    async def suspended(self, user_id: int) -> Sequence[SuspendedKey]:
        """Returns the keys of an organisation that are suspended."""
        ...

    async def drop_suspension(self, key_id: int) -> None:
        """Lets no undo bring a suspended key back, because somebody revoked it for good."""
        ...

    async def notice(self, rule: str, found: Suspicion, public_id: str, quiet_us: int) -> AbuseAlert | None:
        """Returns a new alert, or None if the same was noticed within `quiet_us`. That one is extended."""
        ...

    async def find(self, public_id: str) -> AbuseAlert | None: ...

    async def list(
        self, *, limit: int, only_open: bool = False, before_id: int | None = None, key_id: int | None = None
    ) -> Sequence[AbuseAlert]:
        """Returns alerts, the newest first."""
        ...

    async def open_counts(self) -> Mapping[str, int]:
        """Returns how many alerts are open, by rule."""
        ...

    async def acknowledge(self, alert_id: int, now_us: int) -> bool:
        """Notes that somebody took note. Returns False if somebody had."""
        ...

    async def act(self, action: TakenAction) -> None:
        """Adds what was done. `action.id` is ignored and assigned."""
        ...

    async def actions(self, alert_id: int) -> Sequence[TakenAction]: ...

    async def standing_actions(self, key_id: int) -> Sequence[TakenAction]:
        """Returns what is done to a key and is not undone."""
        ...

    async def ended_actions(self, now_us: int, most: int) -> Sequence[TakenAction]:
        """Returns what is not undone though its time is over."""
        ...

    async def undone(self, action_id: int, now_us: int) -> bool: ...

    async def carry_throttle(self, key_id: int, new_key_id: int) -> None:
        """Moves a standing throttle to the key that replaces another."""
        ...

    async def tunings(self, key_id: int) -> Mapping[str, Tuning]:
        """Returns what was tuned for this key alone, or for `EVERY_KEY`, by rule."""
        ...

    async def all_tunings(self) -> Sequence[Tuning]: ...

    async def tune(self, tuning: Tuning) -> None: ...

    async def reset(self, rule: str, key_id: int) -> None: ...

    async def purge(self, hours_before: int, alerts_before_us: int, most: int) -> int:
        """Removes old sums, guesses, and alerts that are not open. Returns how many rows."""
        ...

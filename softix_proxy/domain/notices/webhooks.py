"""The endpoints of webhooks, and the deliveries of events to them.

An event and its deliveries are added in the transaction of the cause, and delivered by a job.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.domain.notices.webhook_events import EventKind, StoredEvent, WebhookEvent

_MINUTE_US = 60 * SECOND_US
_HOUR_US = 60 * _MINUTE_US
PAUSES_US = (
    5 * SECOND_US,
    5 * _MINUTE_US,
    30 * _MINUTE_US,
    2 * _HOUR_US,
    5 * _HOUR_US,
    10 * _HOUR_US,
    14 * _HOUR_US,
    20 * _HOUR_US,
    24 * _HOUR_US,
)
"""The pauses between attempts that the Standard Webhooks specification proposes. They add up to 75 hours."""
GIVE_UP_AFTER_US = 72 * _HOUR_US
"""No attempt begins a pause after this. Where one endpoint has many deliveries, fewer of each are tried by then."""
_JITTER_PERMILLE = 100


class EndpointStatus(StrEnum):
    ENABLED = "enabled"
    DISABLED = "disabled"
    GONE = "gone"
    """The endpoint answered 410, which says that it wants nothing any more."""


@dataclass(frozen=True, slots=True)
class WebhookEndpoint:
    """A place that is told of events."""

    id: int
    public_id: str
    url: str = field(repr=False)
    kinds: tuple[EventKind, ...]
    """The kinds that it is told of. Empty means all."""
    user_id: int | None
    """The organisation whose events it gets. None means the whole instance, with all organisations."""
    status: EndpointStatus
    allow_private: bool
    """Whether the operator allowed an address in a private network, or of this machine."""
    sealed_secret: bytes = field(repr=False)
    sealed_old_secret: bytes | None = field(repr=False)
    """The secret before. It signs as well until `old_secret_until_us`."""
    old_secret_until_us: int | None
    failing_since_us: int | None
    """When a delivery was given up, if none arrived since."""
    created_at_us: int

    @property
    def condition(self) -> str:
        """The status as people are told it."""
        is_failing = self.status is EndpointStatus.ENABLED and self.failing_since_us is not None
        return "failing" if is_failing else self.status.value


class DeliveryState(StrEnum):
    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"
    """It was given up."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one endpoint."""

    id: int
    public_id: str
    event_id: int
    endpoint_id: int
    state: DeliveryState
    attempts: int
    """The number of attempts that were begun. It tells the claims of one delivery apart."""
    earlier_attempts: int
    """The attempts before it was replayed."""
    began_at_us: int
    """When it was added or replayed. It is given up some days later."""
    next_at_us: int
    """The time of the next attempt, or the end of the lease of the one that runs."""
    status_code: int | None
    """The status of the last answer. Nothing else of an answer is kept."""
    error: str | None
    """The class of the last failure."""
    ended_at_us: int | None


@dataclass(frozen=True, slots=True)
class ListedDelivery:
    """A delivery with what people know it by."""

    delivery: Delivery
    event_public_id: str
    kind: EventKind
    at_us: int


def next_attempt_us(delivery: Delivery, now_us: int, jitter_permille: int) -> int | None:
    """Returns when a delivery whose attempt failed is tried again, or None if it is given up.

    `jitter_permille`, from 0 to 1000, makes the pause up to a tenth longer, so that attempts do not come all at once.
    """
    done = delivery.attempts - delivery.earlier_attempts
    if done > len(PAUSES_US) or now_us - delivery.began_at_us >= GIVE_UP_AFTER_US:
        return None
    pause_us = PAUSES_US[max(done, 1) - 1]
    return now_us + pause_us + pause_us * _JITTER_PERMILLE * jitter_permille // 1_000_000


class WebhookStore(Protocol):
    """Keeps endpoints, events and deliveries."""

    async def any_enabled(self) -> bool:
        """Returns whether there is an endpoint that wants to be told of something."""
        ...

    async def add(self, endpoint: WebhookEndpoint) -> WebhookEndpoint: ...

    async def update(self, endpoint: WebhookEndpoint) -> None: ...

    async def remove(self, endpoint_id: int) -> None:
        """Removes the endpoint with its deliveries."""
        ...

    async def find(self, public_id: str) -> WebhookEndpoint | None: ...

    async def get(self, endpoint_id: int) -> WebhookEndpoint | None: ...

    async def list(self) -> Sequence[WebhookEndpoint]:
        """Returns all endpoints, the oldest first."""
        ...

    async def is_heard(self, kind: EventKind, user_id: int | None) -> bool:
        """Returns whether any endpoint wants such an event."""
        ...

    async def enqueue(self, event: WebhookEvent, public_id: str, now_us: int) -> int:
        """Adds the event, and a delivery for each endpoint that wants it. Returns how many deliveries.

        It adds nothing if no endpoint wants it, or if there is one with the same `once`.
        """
        ...

    async def due(self, now_us: int) -> Sequence[int]:
        """Returns the enabled endpoints that have a delivery which is due."""
        ...

    async def claim(self, endpoint_id: int, now_us: int, until_us: int) -> Delivery | None:
        """Takes the delivery of the endpoint that is due for longest, so that nobody else takes it until `until_us`."""
        ...

    async def event(self, event_id: int) -> StoredEvent: ...

    async def delivered(self, claimed: Delivery, status_code: int, now_us: int) -> None:
        """Notes that the event arrived, whoever has claimed it meanwhile. The endpoint is not failing then."""
        ...

    async def failed(
        self, claimed: Delivery, next_at_us: int | None, error: str, status_code: int | None, now_us: int
    ) -> bool:
        """Notes a failed attempt. No further time means that it is given up, and that the endpoint is failing.

        Returns False, and changes nothing, if it was claimed again meanwhile, or if it has ended.
        """
        ...

    async def give_up_waiting(self, endpoint_id: int, error: str, now_us: int) -> int:
        """Gives all deliveries up that wait for the endpoint. Returns how many."""
        ...

    async def deliveries(self, endpoint_id: int, limit: int) -> Sequence[ListedDelivery]:
        """Returns the endpoint's deliveries, the newest first."""
        ...

    async def find_delivery(self, public_id: str) -> Delivery | None: ...

    async def replay(self, delivery_id: int, now_us: int) -> None:
        """Lets the delivery wait again, as if it were new."""
        ...

    async def replay_failed(self, endpoint_id: int | None, since_us: int, now_us: int) -> int:
        """Does the same for all that were given up, of events since then, to enabled endpoints. Returns how many."""
        ...

    async def counts(self, endpoint_id: int | None = None) -> Mapping[DeliveryState, int]: ...

    async def waiting(self) -> int: ...

    async def overdue(self, before_us: int) -> int:
        """Returns the number of deliveries to enabled endpoints whose attempt was due before then."""
        ...

    async def reseal(self, endpoint_id: int, before: bytes, after: bytes) -> bool:
        """Replaces the secret that was sealed as `before`. Returns False if there is none by now."""
        ...

    async def purge(self, ended_before_us: int) -> int:
        """Deletes deliveries that ended before, and events without any. Returns how many deliveries."""
        ...

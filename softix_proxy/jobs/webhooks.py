"""Delivers the events that wait for endpoints.

A delivery is claimed in one transaction, sent, and noted in another. While it is claimed, no other process takes it. If
a process dies between the receiver's answer and its own note, the event is sent a second time when the claim ends, with
the same id. Each endpoint is served by a task of its own, so that a slow one holds up nobody else.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from softix_proxy.domain.core.clock import DAY_US, SECOND_US
from softix_proxy.domain.notices.delivery_tally import DeliveryTally
from softix_proxy.domain.notices.webhooks import Delivery
from softix_proxy.domain.ports.storage import Storage
from softix_proxy.domain.ports.vault import Vault
from softix_proxy.domain.ports.webhook_post import WebhookPost
from softix_proxy.operations.notices import webhook_delivery

log = logging.getLogger("softix.jobs")
_PURGE_EVERY_US = 3600 * SECOND_US
_LONGEST_REST_US = 60 * SECOND_US
_PERMILLE = 1001


@dataclass(frozen=True, slots=True)
class DeliveryPolicy:
    """The times of the delivering job."""

    lease_us: int
    """How long a claim lasts. It is longer than any attempt, so that no event is sent by two processes at once."""
    keep_days: int = 35
    poll_s: float = 2
    """How often the job looks for events that were added."""
    rest_us: int = 5 * SECOND_US
    """How long an endpoint rests after a failure. Each further one in a row is twice as long, up to a minute."""
    most_at_once: int = 16
    """How many endpoints are served at once."""


class WebhookJob:
    """Delivers events until it is stopped."""

    def __init__(
        self,
        storage: Storage,
        vault: Vault,
        post: WebhookPost,
        policy: DeliveryPolicy,
        tally: DeliveryTally,
        draw: Callable[[int], int],
    ) -> None:
        """`draw` returns a random number below the one that it is given. It spreads attempts."""
        self._storage = storage
        self._vault = vault
        self._post = post
        self._policy = policy
        self._tally = tally
        self._draw = draw
        self._stop = asyncio.Event()
        self._served = set[int]()
        self._rests = dict[int, tuple[int, int]]()
        """Endpoint → its failures in a row, and the time before which it rests."""
        self._purged_at_us = 0

    def stop(self) -> None:
        """Lets the job end after what it is sending."""
        self._stop.set()

    async def run(self) -> None:
        """Delivers what is due, and waits for more, until `stop` is called."""
        async with asyncio.TaskGroup() as group:
            while not self._stop.is_set():
                try:
                    await self._begin_due(group)
                    await self._purge()
                except Exception as error:  # noqa: BLE001 - the daemon that serves requests must not end because of it
                    log.warning("could not look for events", extra={"error": type(error).__name__})
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._policy.poll_s):
                        await self._stop.wait()

    async def send_due(self) -> None:
        """Delivers what is due now, and returns when it is done. An endpoint that fails is left for later."""
        async with asyncio.TaskGroup() as group:
            await self._begin_due(group)

    async def _begin_due(self, group: asyncio.TaskGroup) -> None:
        reading = self._storage.reading()
        now_us = reading.clock.now_us()
        self._tally.waiting = await reading.webhooks.waiting()
        if not self._tally.waiting:
            return
        for endpoint_id in await reading.webhooks.due(now_us):
            if len(self._served) >= self._policy.most_at_once:
                return
            if endpoint_id not in self._served and self._rests.get(endpoint_id, (0, 0))[1] <= now_us:
                self._served.add(endpoint_id)
                group.create_task(self._serve(endpoint_id))

    async def _serve(self, endpoint_id: int) -> None:
        """Delivers what is due for one endpoint, one after another, until one fails."""
        try:
            while not self._stop.is_set() and (claimed := await self._claim(endpoint_id)) is not None:
                if not await self._deliver(claimed):
                    break
        except Exception as error:  # noqa: BLE001 - one endpoint must not hold up the others
            log.warning("could not deliver an event", extra={"error": type(error).__name__})
            self._rest(endpoint_id)
        finally:
            self._served.discard(endpoint_id)

    async def _claim(self, endpoint_id: int) -> Delivery | None:
        async with self._storage.writing() as unit:
            now_us = unit.clock.now_us()
            return await unit.webhooks.claim(endpoint_id, now_us, now_us + self._policy.lease_us)

    async def _deliver(self, claimed: Delivery) -> bool:
        """Returns whether the event arrived."""
        done = await webhook_delivery.attempt(self._storage, self._vault, self._post, claimed, self._draw(_PERMILLE))
        self._tally.waiting = max(self._tally.waiting - done.has_ended, 0)
        if done.answer.fault is None:
            self._tally.delivered += 1
            self._rests.pop(claimed.endpoint_id, None)
            return True
        self._tally.attempts_failed += 1
        self._tally.given_up += done.is_given_up
        told = "gave up an event" if done.is_given_up else "could not deliver an event"
        log.warning(told, extra={"delivery": claimed.public_id, "error": done.answer.fault.value})
        self._rest(claimed.endpoint_id)
        return False

    def _rest(self, endpoint_id: int) -> None:
        failures, _ = self._rests.get(endpoint_id, (0, 0))
        pause_us = min(self._policy.rest_us << min(failures, 16), _LONGEST_REST_US)
        self._rests[endpoint_id] = failures + 1, self._storage.reading().clock.now_us() + pause_us

    async def _purge(self) -> None:
        now_us = self._storage.reading().clock.now_us()
        if now_us - self._purged_at_us >= _PURGE_EVERY_US:
            self._purged_at_us = now_us
            async with self._storage.writing() as unit:
                await unit.webhooks.purge(now_us - self._policy.keep_days * DAY_US)

"""Sends what waits in the outbox.

A message is claimed in one transaction, sent, and noted as sent in another. While it is claimed, no other process takes
it. If a process dies between the mail server's acceptance and its own note, the message is sent a second time when the
claim ends: SMTP has no way to ask. Both copies have the same Message-ID, by which mailboxes that look can drop one. A
message into a folder replaces itself.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass

from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.notices.outbox import QueuedNotice
from softix_proxy.domain.ports.mail import OF_THE_SERVER, DeliveryError, DeliveryFault, NoticeSender
from softix_proxy.domain.ports.storage import Storage
from softix_proxy.domain.ports.vault import Vault
from softix_proxy.operations.notices import outbox

log = logging.getLogger("softix.jobs")
_FIRST_PAUSE_US = 60 * SECOND_US
_LONGEST_PAUSE_US = 6 * 3600 * SECOND_US
_LONGEST_SERVER_PAUSE_S = 600
"""After a failure that is not a message's own, it need not wait longer: the server is back for all of them at once."""
_PURGE_EVERY_US = 3600 * SECOND_US


@dataclass(frozen=True, slots=True)
class SendingPolicy:
    """The times of the sending job."""

    lease_us: int
    """How long a claim lasts. It is longer than any attempt, so that no message is sent by two processes at once."""
    give_up_after_us: int
    keep_days: int
    poll_s: float = 2
    """How often the job looks for messages that were added."""
    server_pause_s: float = 15
    """The first pause after a failure that every message would meet. Each further one is twice as long."""


def pause_us(attempts: int) -> int:
    """Returns the pause after this many attempts: one minute, then each time twice as long, up to six hours."""
    return min(_FIRST_PAUSE_US << min(attempts - 1, 20), _LONGEST_PAUSE_US)


def _pause_us(claimed: QueuedNotice, fault: DeliveryFault) -> int:
    longest_us = _LONGEST_SERVER_PAUSE_S * SECOND_US if fault in OF_THE_SERVER else _LONGEST_PAUSE_US
    return min(pause_us(claimed.attempts), longest_us)


class OutboxJob:
    """Sends messages until it is stopped."""

    def __init__(self, storage: Storage, vault: Vault, sender: NoticeSender, policy: SendingPolicy) -> None:
        self._storage = storage
        self._vault = vault
        self._sender = sender
        self._policy = policy
        self._stop = asyncio.Event()
        self._server_failures = 0
        self._purged_at_us = 0

    def stop(self) -> None:
        """Lets the job end after the message that it is sending."""
        self._stop.set()

    async def run(self) -> None:
        """Sends what is due, and waits for more, until `stop` is called."""
        while not self._stop.is_set():
            try:
                await self.send_due()
                await self._purge()
            except Exception as error:  # noqa: BLE001 - the daemon that serves requests must not end because of mail
                log.warning("could not work on the outbox", extra={"error": type(error).__name__})
            await self._rest()
        await self._sender.rest()

    async def send_due(self) -> int:
        """Sends the messages that are due, one after another. Returns how many were sent. Raises FailureError."""
        sent = 0
        while not self._stop.is_set() and (claimed := await self._claim()) is not None:
            fault = await self._attempt(claimed)
            sent += fault is None
            self._server_failures = self._server_failures + 1 if fault in OF_THE_SERVER else 0
            if self._server_failures:
                break
        await self._sender.rest()
        return sent

    async def _claim(self) -> QueuedNotice | None:
        """Claims the next message. It takes the write lock only if there is one."""
        now_us = self._storage.reading().clock.now_us()
        next_at_us = await self._storage.reading().outbox.next_at_us()
        if next_at_us is None or next_at_us > now_us:
            return None
        async with self._storage.writing() as unit:
            now_us = unit.clock.now_us()
            claimed = await unit.outbox.claim(now_us, now_us + self._policy.lease_us, 1)
        return claimed[0] if claimed else None

    async def _attempt(self, claimed: QueuedNotice) -> DeliveryFault | None:
        """Tries to send the message, and notes the outcome. Returns the fault, or None if it is out."""
        failure: DeliveryError | None = None
        try:
            await self._sender.send(claimed, outbox.open_links(self._vault, claimed))
        except DeliveryError as error:
            failure = error
        except FailureError:
            failure = DeliveryError(DeliveryFault.LINKS_UNREADABLE)
        except Exception as error:  # noqa: BLE001 - one message that cannot be made must not hold up all others
            log.warning("could not make a message", extra={"notice": claimed.public_id, "error": type(error).__name__})
            failure = DeliveryError(DeliveryFault.INTERNAL)
        if failure is None:
            async with self._storage.writing() as unit:
                await unit.outbox.sent(claimed.id, unit.clock.now_us())
            return None
        await self._failed(claimed, failure)
        return failure.fault

    async def _failed(self, claimed: QueuedNotice, failure: DeliveryError) -> None:
        async with self._storage.writing() as unit:
            now_us = unit.clock.now_us()
            is_late = now_us - claimed.created_at_us >= self._policy.give_up_after_us
            ends = failure.permanent or is_late
            next_at_us = None if ends else now_us + _pause_us(claimed, failure.fault)
            await unit.outbox.failed(claimed, next_at_us, failure.fault.value, now_us)
        told = "gave up a message" if ends else "could not send a message"
        log.warning(told, extra={"notice": claimed.public_id, "error": failure.fault.value})

    async def _purge(self) -> None:
        now_us = self._storage.reading().clock.now_us()
        if now_us - self._purged_at_us >= _PURGE_EVERY_US:
            self._purged_at_us = now_us
            await outbox.purge(self._storage, self._policy.keep_days)

    async def _rest(self) -> None:
        """Waits for the next look, or until it is stopped. After a failure of the server it waits longer."""
        pause_s = self._policy.poll_s
        if self._server_failures:
            pause_s = self._policy.server_pause_s * 2 ** min(self._server_failures - 1, 10)
            pause_s = min(pause_s, _LONGEST_SERVER_PAUSE_S)
        with suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                await self._stop.wait()

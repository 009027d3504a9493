"""Delivers one event to one endpoint: its body, its signature, and what follows from the answer."""

from __future__ import annotations

import json
from dataclasses import dataclass

from softix_proxy import __version__
from softix_proxy.domain.core.clock import SECOND_US, format_instant
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.core.ids import new_public_id
from softix_proxy.domain.notices.webhook_events import EventKind, StoredEvent, WebhookEvent
from softix_proxy.domain.notices.webhook_signatures import signed_headers
from softix_proxy.domain.notices.webhooks import Delivery, EndpointStatus, WebhookEndpoint, next_attempt_us
from softix_proxy.domain.ports.storage import Storage
from softix_proxy.domain.ports.vault import Vault
from softix_proxy.domain.ports.webhook_post import WebhookAnswer, WebhookFault, WebhookPost
from softix_proxy.operations.notices import webhooks


@dataclass(frozen=True, slots=True)
class Delivered:
    """The outcome of one attempt."""

    answer: WebhookAnswer
    is_given_up: bool = False

    @property
    def has_ended(self) -> bool:
        return self.is_given_up or self.answer.fault is None


def body_of(stored: StoredEvent) -> bytes:
    """Returns the body, which is the same at each attempt."""
    told = {
        "type": stored.event.kind.value,
        "timestamp": format_instant(stored.at_us),
        "data": dict(stored.event.data),
    }
    return json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode()


async def attempt(
    storage: Storage, vault: Vault, post: WebhookPost, claimed: Delivery, jitter_permille: int
) -> Delivered:
    """Sends a claimed delivery, and notes the outcome in a transaction of its own."""
    reading = storage.reading()
    endpoint = await reading.webhooks.get(claimed.endpoint_id)
    if endpoint is None:
        return Delivered(WebhookAnswer(None, WebhookFault.DISABLED), is_given_up=True)
    answer = await _send(vault, post, endpoint, await reading.webhooks.event(claimed.event_id), reading.clock.now_us())
    async with storage.writing() as unit:
        now_us = unit.clock.now_us()
        if answer.fault is None:
            await unit.webhooks.delivered(claimed, answer.status_code or 0, now_us)
            return Delivered(answer)
        is_gone = answer.fault is WebhookFault.GONE
        next_at_us = None if is_gone else next_attempt_us(claimed, now_us, jitter_permille)
        await unit.webhooks.failed(claimed, next_at_us, answer.fault.value, answer.status_code, now_us)
        if is_gone:
            endpoint = await unit.webhooks.get(endpoint.id) or endpoint
            await webhooks.close(unit, endpoint, EndpointStatus.GONE)
        return Delivered(answer, next_at_us is None)


async def send_test(storage: Storage, vault: Vault, post: WebhookPost, public_id: str) -> tuple[str, WebhookAnswer]:
    """Sends one event to the endpoint at once. Returns its id and the answer. Raises NotFoundError and FailureError.

    It is not stored, and is sent to a disabled endpoint as well.
    """
    reading = storage.reading()
    endpoint, now_us = await webhooks.find(reading, public_id), reading.clock.now_us()
    event = WebhookEvent(EventKind.WEBHOOK_TEST, {"endpoint": endpoint.public_id})
    stored = StoredEvent(0, new_public_id("evt"), event, now_us)
    return stored.public_id, await _send(vault, post, endpoint, stored, now_us)


async def _send(
    vault: Vault, post: WebhookPost, endpoint: WebhookEndpoint, stored: StoredEvent, now_us: int
) -> WebhookAnswer:
    try:
        secrets = webhooks.secrets_of(vault, endpoint, now_us)
    except FailureError:
        return WebhookAnswer(None, WebhookFault.SECRET_UNREADABLE)
    body = body_of(stored)
    headers = {
        "content-type": "application/json",
        "user-agent": f"softix-proxy/{__version__}",
        **signed_headers(secrets, stored.public_id, now_us // SECOND_US, body),
    }
    return await post.post(endpoint.url, headers, body, allow_private=endpoint.allow_private)

"""An endpoint that wants all events, and what was added for it. Nothing is sent."""

from __future__ import annotations

from typing import Any

from softix_proxy.domain.notices.webhook_events import EVENTS, EventKind
from softix_proxy.domain.notices.webhooks import EndpointStatus, WebhookEndpoint
from softix_proxy.domain.ports.storage import Storage


async def listen(storage: Storage, *kinds: EventKind, user_id: int | None = None) -> WebhookEndpoint:
    """Adds an endpoint for these kinds, or for all."""
    async with storage.writing() as unit:
        return await unit.webhooks.add(
            WebhookEndpoint(
                id=0,
                public_id=f"whk_{len(await unit.webhooks.list())}",
                url="https://example.org/softix",
                kinds=kinds,
                user_id=user_id,
                status=EndpointStatus.ENABLED,
                allow_private=False,
                sealed_secret=b"sealed",
                sealed_old_secret=None,
                old_secret_until_us=None,
                failing_since_us=None,
                created_at_us=1,
            )
        )


async def heard(storage: Storage, endpoint_id: int = 1) -> list[tuple[EventKind, dict[str, Any]]]:
    """Each event of the endpoint, the oldest first. It has the fields that its kind has, unless one does not apply."""
    store = storage.reading().webhooks
    events = [(await store.event(one.delivery.event_id)).event for one in await store.deliveries(endpoint_id, 999)]
    for event in events:
        assert {*event.data} <= {*EVENTS[event.kind].fields}
        assert (event.user_id is not None) is EVENTS[event.kind].is_of_organisation
    return [(event.kind, dict(event.data)) for event in reversed(events)]

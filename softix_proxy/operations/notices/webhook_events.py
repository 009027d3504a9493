"""Tells endpoints of events. This is the one door: `enqueue` adds an event in the transaction of its cause."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from softix_proxy.domain.access.keys import Key
from softix_proxy.domain.core.ids import new_public_id
from softix_proxy.domain.notices.webhook_events import EVENTS, EventKind, WebhookEvent
from softix_proxy.domain.ports.storage import Unit
from softix_proxy.operations.core.shown_names import name_of

if TYPE_CHECKING:
    from softix_proxy.domain.billing.bill import Document


async def enqueue(
    unit: Unit, kind: EventKind, data: Mapping[str, Any], *, user_id: int | None = None, once: str = ""
) -> int:
    """Adds an event for each endpoint that wants it, in the caller's transaction. Returns how many deliveries.

    With `user_id` it is about that organisation, whose id and name are added. Fields that `EVENTS` does not name are
    left out, so that nothing is told that the documents do not name. An event whose `once` is known is not added.
    """
    if not await unit.webhooks.is_heard(kind, user_id):
        return 0
    told = dict(data)
    if user_id is not None:
        owner = await unit.users.get(user_id)
        told = {"organisation": owner.public_id, "organisation_name": await name_of(unit, user_id), **told}
    known = {name: told[name] for name in EVENTS[kind].fields if name in told}
    event = WebhookEvent(kind, known, user_id, f"{kind}:{once}" if once else "")
    return await unit.webhooks.enqueue(event, new_public_id("evt"), unit.clock.now_us())


def of_key(key: Key) -> dict[str, str]:
    """Returns the fields of a key that events have."""
    return {"key": key.public_id, "key_name": key.label}


def of_document(document: Document) -> dict[str, str]:
    """Returns the fields of an invoice or a receipt that events have."""
    told = {
        "document": document.number,
        "amount_usd": str(document.totals.gross),
        "issued_on": document.issued_on.isoformat(),
    }
    return told if document.due_on is None else {**told, "due_on": document.due_on.isoformat()}

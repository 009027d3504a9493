"""Tells the members of an organisation, and endpoints, that a key of it was made or revoked."""

from __future__ import annotations

from softix_proxy.domain.access.keys import Key
from softix_proxy.domain.access.permissions import Permission
from softix_proxy.domain.notices.outbox import NoticeKind
from softix_proxy.domain.notices.webhook_events import EventKind
from softix_proxy.domain.ports.storage import Unit
from softix_proxy.operations.core.shown_names import name_of
from softix_proxy.operations.notices import facts, recipients, webhook_events

_EVENTS = {NoticeKind.KEY_CREATED: EventKind.KEY_CREATED, NoticeKind.KEY_REVOKED: EventKind.KEY_REVOKED}


async def tell(unit: Unit, kind: NoticeKind, key: Key) -> int:
    """Adds a message to each member who can have keys, in the transaction of the change. Returns how many."""
    values = {
        "organisation": await name_of(unit, key.user_id),
        "key": facts.key_name(key),
        "when": facts.when(unit.clock.now_us()),
    }
    await webhook_events.enqueue(unit, _EVENTS[kind], webhook_events.of_key(key), user_id=key.user_id)
    return await recipients.tell(unit, key.user_id, Permission.KEYS_OWN, kind, values)

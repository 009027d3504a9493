"""Tells the members of an organisation that a key of it was made or revoked."""

from __future__ import annotations

from softix_proxy.domain.access.keys import Key
from softix_proxy.domain.notices.outbox import Notice, NoticeKind
from softix_proxy.domain.organisations.organisations import Right
from softix_proxy.domain.ports.storage import Unit
from softix_proxy.operations.notices import facts, recipients
from softix_proxy.operations.notices.outbox import enqueue


async def tell(unit: Unit, kind: NoticeKind, key: Key) -> int:
    """Adds a message to each member who can have keys, in the transaction of the change. Returns how many."""
    members = await recipients.members_who_may(unit, key.user_id, Right.MAKE_OWN_KEYS)
    if not members:
        return 0
    organisation = await unit.users.get(key.user_id)
    values = {"organisation": organisation.name, "key": facts.key_name(key), "when": facts.when(unit.clock.now_us())}
    added = [await enqueue(unit, None, Notice(kind, one.email, values, account_id=one.id)) for one in members]
    return sum(added)

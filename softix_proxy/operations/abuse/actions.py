"""Acts on an alert, and undoes it.

Keys are stopped and slowed by their own status and rate limit, which admission asks. A change of a key counts for the
very next request in every process, because it raises the directory's revision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from softix_proxy.domain.abuse.abuse import AbuseAlert, TakenAction
from softix_proxy.domain.abuse.rule import AbuseAction
from softix_proxy.domain.access.keys import Key, KeyStatus
from softix_proxy.domain.access.permissions import Permission
from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.core.ids import new_public_id
from softix_proxy.domain.ports.storage import Unit
from softix_proxy.operations.notices import recipients

THROTTLED_RPM = 6
"""How many requests a minute a throttled key may make."""
THROTTLED_US = DAY_US
"""For how long a key is throttled."""


async def take(unit: Unit, alert: AbuseAlert, action: AbuseAction) -> bool:
    """Acts on the key of an alert, in the caller's transaction. Returns False if there was nothing to do."""
    if action is AbuseAction.ALERT or alert.key_id is None:
        return False
    key = await unit.keys.get(alert.key_id)
    now_us = unit.clock.now_us()
    before = await _before(unit, key, action, now_us)
    if before is None:
        return False
    until_us = now_us + THROTTLED_US if action is AbuseAction.THROTTLE else None
    await unit.abuse.act(
        TakenAction(
            id=0,
            public_id=new_public_id("act"),
            alert_id=alert.id,
            action=action,
            key_id=key.id,
            before=before,
            began_us=now_us,
            until_us=until_us,
        )
    )
    return True


async def _before(unit: Unit, key: Key, action: AbuseAction, now_us: int) -> dict[str, Any] | None:
    """Does it. Returns what an undo restores, or None if there was nothing to do."""
    if action is AbuseAction.REAUTHENTICATE:
        return await _end_sessions(unit, key, now_us) or None
    if key.status is KeyStatus.REVOKED:
        return None
    if action is AbuseAction.SUSPEND:
        await unit.keys.update(replace(key, status=KeyStatus.REVOKED))
        return {"status": key.status.value}
    rpm = key.limits.rpm
    if rpm is not None and rpm <= THROTTLED_RPM:
        return None
    await unit.keys.update(replace(key, limits=replace(key.limits, rpm=THROTTLED_RPM)))
    return {"rpm": rpm}


async def undo(unit: Unit, action: TakenAction) -> bool:
    """Restores what an action changed. What somebody changed since stays. Returns False if it was undone before."""
    now_us = unit.clock.now_us()
    if not await unit.abuse.undone(action.id, now_us) or action.key_id is None:
        return False
    key = await unit.keys.get(action.key_id)
    if action.action is AbuseAction.REAUTHENTICATE:
        await _restore_sessions(unit, action, now_us)
    elif action.action is AbuseAction.SUSPEND:
        await unit.keys.update(replace(key, status=KeyStatus(action.before["status"])))
    elif key.limits.rpm == THROTTLED_RPM:
        await unit.keys.update(replace(key, limits=replace(key.limits, rpm=action.before["rpm"])))
    return True


async def undo_ended(unit: Unit, most: int) -> int:
    """Undoes what has lasted for its time. Returns how many actions."""
    ended = await unit.abuse.ended_actions(unit.clock.now_us(), most)
    for action in ended:
        await undo(unit, action)
    return len(ended)


async def _end_sessions(unit: Unit, key: Key, now_us: int) -> dict[str, Any]:
    """Ends the sessions of the people who have the key. Their rows stay until they are purged, for an undo."""
    ended = {}
    for account_id in await _people(unit, key):
        for session in await unit.sessions.list(account_id, now_us):
            ended[session.public_id] = [account_id, session.digest.hex(), session.idle_ends_at_us]
            await unit.sessions.update(replace(session, idle_ends_at_us=now_us))
    return ended


async def _restore_sessions(unit: Unit, action: TakenAction, now_us: int) -> None:
    for _, digest, idle_ends_at_us in action.before.values():
        session = await unit.sessions.by_digest(bytes.fromhex(digest), action.began_us - 1)
        if session is not None and session.idle_ends_at_us == action.began_us and idle_ends_at_us > now_us:
            await unit.sessions.update(replace(session, idle_ends_at_us=idle_ends_at_us))


async def _people(unit: Unit, key: Key) -> Sequence[int]:
    owner = (await unit.key_owners.get(key.id)).account_id
    if owner is not None:
        return [owner]
    return [account.id for account in await recipients.members_who_may(unit, key.user_id, Permission.KEYS_OWN)]

"""Tells the people who manage an organisation, and endpoints, how much of a cap is spent.

It works as with budgets: the settlement that reaches a part notes it, and each note becomes one message here.
"""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.domain.access.permissions import Permission
from softix_proxy.domain.core.clock import format_instant
from softix_proxy.domain.core.money import format_usd
from softix_proxy.domain.metering.caps import CapAlert
from softix_proxy.domain.notices.outbox import NoticeKind
from softix_proxy.domain.notices.webhook_events import EventKind
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.operations.access import caps
from softix_proxy.operations.core.shown_names import name_of
from softix_proxy.operations.notices import facts, recipients, webhook_events

_AT_ONCE = 100


async def tell(storage: Storage) -> int:
    """Adds a message for each alert of which nobody was told. Returns the number of messages. Raises FailureError."""
    messages = 0
    while await storage.reading().caps.untold(1):
        async with storage.writing() as unit:
            messages += await _tell_some(unit)
    return messages


async def _tell_some(unit: Unit) -> int:
    alerts, messages = await unit.caps.untold(_AT_ONCE), 0
    for alert in alerts:
        if not _is_outdone(alert, alerts):
            messages += await _tell(unit, alert)
        await unit.caps.told(alert, unit.clock.now_us())
    return messages


def _is_outdone(alert: CapAlert, alerts: Sequence[CapAlert]) -> bool:
    """Returns whether a further part of the same cap was reached in the same period, so that one message does."""
    place = alert.cap_id, alert.period_start_us
    return any((other.cap_id, other.period_start_us) == place and other.percent > alert.percent for other in alerts)


async def _tell(unit: Unit, alert: CapAlert) -> int:
    [standing] = await caps.standings(unit, [await unit.caps.get(alert.cap_id)])
    cap = standing.cap
    key = None if cap.key_id is None else await unit.keys.get(cap.key_id)
    values = {
        "organisation": await name_of(unit, cap.user_id),
        "key": "" if key is None else facts.key_name(key),
        "models": cap.models or cap.tag,
        "percent": f"{alert.percent} %",
        "limit": facts.usd(standing.in_force_pico),
        "period": facts.PERIODS[cap.period],
    }
    data = {
        **({} if key is None else webhook_events.of_key(key)),
        **({"models": cap.models} if cap.models else {}),
        **({"tag": cap.tag} if cap.tag else {}),
        "percent": alert.percent,
        "cap_usd": format_usd(standing.in_force_pico),
        "period": cap.period,
    }
    if cap.period != "total":
        data["period_began_at"] = format_instant(alert.period_start_us)
    whose = f"user {cap.user_id}" if key is None else key.public_id
    cause = f"cap_share:{whose}:{cap.models}:{cap.tag}:{cap.period}:{alert.period_start_us}:{alert.percent}"
    await webhook_events.enqueue(unit, EventKind.CAP_SHARE, data, user_id=cap.user_id, once=cause)
    return await recipients.tell(
        unit,
        cap.user_id,
        Permission.BUDGETS_WRITE,
        NoticeKind.CAP_SHARE,
        {name: value for name, value in values.items() if value},
        lambda account: f"{cause}:{account.public_id}",
    )

"""Raises an alert: notes it once, acts on it, and tells people and endpoints."""

from __future__ import annotations

from collections.abc import Mapping

from softix_proxy.domain.abuse.abuse import AbuseAlert
from softix_proxy.domain.abuse.rule import AbuseAction, Suspicion
from softix_proxy.domain.access.permissions import Permission
from softix_proxy.domain.access.roles import OperatorRoles
from softix_proxy.domain.accounts.accounts import permissions_of
from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.core.ids import new_public_id
from softix_proxy.domain.notices.outbox import Notice, NoticeKind
from softix_proxy.domain.notices.webhook_events import EventKind
from softix_proxy.domain.ports.storage import Unit
from softix_proxy.operations.abuse import actions
from softix_proxy.operations.abuse.abuse import RuleInForce
from softix_proxy.operations.core.shown_names import name_of
from softix_proxy.operations.notices import facts, recipients, webhook_events
from softix_proxy.operations.notices.outbox import enqueue

_QUIET_US = DAY_US
"""The same thing about the same subject is one alert, until it was not noticed for this long."""
_DONE: Mapping[AbuseAction, str] = {
    AbuseAction.THROTTLE: f" The key is limited to {actions.THROTTLED_RPM} requests a minute for a day.",
    AbuseAction.SUSPEND: " The key is suspended: it works no more until the operator says so.",
    AbuseAction.REAUTHENTICATE: " The people who have the key must sign in again.",
}


async def raise_alert(unit: Unit, rule: RuleInForce, found: Suspicion, roles: OperatorRoles) -> AbuseAlert | None:
    """Raises the alert in the caller's transaction. Returns None if it is known, and then nobody is told again."""
    alert = await unit.abuse.notice(rule.rule.name, found, new_public_id("abu"), _QUIET_US)
    if alert is None:
        return None
    acted = await actions.take(unit, alert, rule.action)
    await _tell_operators(unit, alert, roles, _DONE[rule.action] if acted else "")
    await _tell_endpoints(unit, alert)
    if acted and rule.action is not AbuseAction.REAUTHENTICATE:
        await _tell_owners(unit, alert, _DONE[rule.action])
    return alert


async def _tell_operators(unit: Unit, alert: AbuseAlert, roles: OperatorRoles, done: str) -> None:
    text = f"{alert.subject}: {alert.text}{done} The rule is {alert.rule}, and the alert {alert.public_id}."
    for account in await unit.accounts.list():
        if Permission.ABUSE_ACK in permissions_of(account, roles):
            once = f"abuse:{alert.public_id}:{account.public_id}"
            notice = Notice(NoticeKind.OPERATOR_ALERT, account.email, {"text": text}, account_id=account.id, once=once)
            await enqueue(unit, None, notice)


async def _tell_endpoints(unit: Unit, alert: AbuseAlert) -> None:
    data = {"rule": alert.rule, "text": alert.text}
    user_id = None
    if alert.key_id is not None:
        data |= webhook_events.of_key(await unit.keys.get(alert.key_id))
        user_id = alert.user_id  # what is noticed about people is for the operators alone
    await webhook_events.enqueue(unit, EventKind.ABUSE_SUSPECTED, data, user_id=user_id, once=alert.public_id)


async def _tell_owners(unit: Unit, alert: AbuseAlert, done: str) -> None:
    if alert.key_id is None:
        return
    key = await unit.keys.get(alert.key_id)
    values = {
        "organisation": await name_of(unit, key.user_id),
        "key": facts.key_name(key),
        "text": f"{alert.text}{done}",
    }
    await recipients.tell(
        unit,
        key.user_id,
        Permission.KEYS_OWN,
        NoticeKind.ABUSE,
        values,
        lambda account: f"abuse_owner:{alert.public_id}:{account.public_id}",
    )

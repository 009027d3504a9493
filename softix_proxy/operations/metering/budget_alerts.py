"""Tells the people who manage an organisation, and endpoints, how much of a budget is spent.

The settlement that reaches a part of a budget notes it in its own transaction. So no part is missed, and here each note
becomes one message to each of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.domain.access.permissions import Permission
from softix_proxy.domain.core.clock import format_instant
from softix_proxy.domain.core.money import format_usd
from softix_proxy.domain.metering.budgets import BudgetAlert
from softix_proxy.domain.notices.outbox import NoticeKind
from softix_proxy.domain.notices.webhook_events import EventKind
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.operations.core.shown_names import name_of
from softix_proxy.operations.metering import budgets
from softix_proxy.operations.notices import facts, recipients, webhook_events

_AT_ONCE = 100


async def tell(storage: Storage) -> int:
    """Adds a message for each alert of which nobody was told. Returns the number of messages. Raises FailureError."""
    messages = 0
    while await storage.reading().budgets.untold(1):
        async with storage.writing() as unit:
            messages += await _tell_some(unit)
    return messages


async def _tell_some(unit: Unit) -> int:
    alerts, messages = await unit.budgets.untold(_AT_ONCE), 0
    for alert in alerts:
        if not _is_outdone(alert, alerts):
            messages += await _tell(unit, alert)
        await unit.budgets.told(alert, unit.clock.now_us())
    return messages


def _is_outdone(alert: BudgetAlert, alerts: Sequence[BudgetAlert]) -> bool:
    """Returns whether a further part of the same budget was reached in the same period, so that one message does."""
    place = alert.budget_id, alert.period_start_us
    return any((other.budget_id, other.period_start_us) == place and other.percent > alert.percent for other in alerts)


async def _tell(unit: Unit, alert: BudgetAlert) -> int:
    standing = await budgets.standing_of(unit, await unit.budgets.get(alert.budget_id))
    budget = standing.budget
    values = {
        "organisation": await name_of(unit, budget.user_id),
        "budget": budgets.name_of(standing),
        "percent": f"{alert.percent} %",
        "limit": facts.usd(standing.in_force_pico),
        "period": facts.PERIODS[budget.period],
    }
    cause = f"budget_reached:{budget.public_id}:{alert.period_start_us}:{alert.percent}"
    data = {
        "budget": budget.public_id,
        "budget_name": values["budget"],
        "percent": alert.percent,
        "limit_usd": format_usd(standing.in_force_pico),
        "period": budget.period,
        "period_began_at": format_instant(alert.period_start_us),
    }
    await webhook_events.enqueue(unit, EventKind.BUDGET_REACHED, data, user_id=budget.user_id, once=cause)
    return await recipients.tell(
        unit,
        budget.user_id,
        Permission.BUDGETS_WRITE,
        NoticeKind.BUDGET_REACHED,
        values,
        lambda account: f"{cause}:{account.public_id}",
    )

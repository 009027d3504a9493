"""The first page of operators: totals, and what needs somebody's attention."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from softix_proxy.doctor import quick_checks
from softix_proxy.domain.access.permissions import Permission
from softix_proxy.domain.access.users import UserStatus
from softix_proxy.domain.core.calendar import calendar
from softix_proxy.domain.ledger.ledger import AccountBalance
from softix_proxy.domain.ledger.refunds import RefundState
from softix_proxy.domain.metering.usage import add_up
from softix_proxy.domain.notices.outbox import NoticeState
from softix_proxy.exports.metering.rounded import money
from softix_proxy.operations.access import users
from softix_proxy.operations.ledger import ledger, refunds
from softix_proxy.operations.metering import usage
from softix_proxy.operations.notices import outbox
from softix_proxy.operations.pricing import price_proposals
from softix_proxy.operations.routing import routes
from softix_proxy.web.portal.admin.admin_page import admin_page
from softix_proxy.web.portal.admin.target_states import failing
from softix_proxy.web.portal.core.page import Answer, PageRequest

_SHOWN_ACCOUNTS: Mapping[str, tuple[str, int]] = {
    "cash": ("paid_in", -1),
    "revenue": ("charged", 1),
    "adjustments": ("granted", -1),
    "wallets": ("owed", 1),
}
"""The account → what it means to people, and the sign. In the books, what the operator gets or gives is negative."""


class ShownAccount(NamedTuple):
    name: str
    amount_pico: int


async def overview_page(request: PageRequest) -> Answer:
    """Shows what the operator may see of the whole instance."""
    may, storage = request.principal.may, request.storage
    counts = await users.counts(storage)
    values: dict[str, Any] = {
        "users": sum(counts.values()),
        "disabled": counts.get(UserStatus.DISABLED, 0),
        "today": None,
        "month": None,
        "accounts": (),
        "failing": (),
        "waiting": 0,
        "refunds": 0,
        "findings": (),
        "given_up": 0,
    }
    if may(Permission.USAGE_READ):
        summary = await usage.summary(storage, "day", None, None)
        date = calendar(summary.zone).date(request.now_us).isoformat()
        today, month = next((day for day in summary.days if day.id == date), None), add_up(summary.days)
        values["today"] = (money(today.charge_pico if today else 0), today.requests if today else 0)
        values["month"] = (money(month.charge_pico), month.requests)
    if may(Permission.LEDGER_READ):
        values["accounts"] = _shown(await ledger.accounts(storage))
    if may(Permission.PAYMENTS_READ):
        values["refunds"] = len(await refunds.list_all(storage, RefundState.REQUESTED, None))
    if may(Permission.PROVIDERS_READ):
        values["failing"] = failing(await routes.health(storage), request.now_us)
    if may(Permission.PRICES_READ):
        values["waiting"] = await price_proposals.count(storage)
    if may(Permission.MAIL_READ):
        values["given_up"] = (await outbox.counts(storage)).get(NoticeState.GIVEN_UP, 0)
    if may(Permission.INSTANCE_READ):
        values["findings"] = await quick_checks.run(storage, request.settings)
    return admin_page(request, "admin_overview", **values)


def _shown(accounts: Sequence[AccountBalance]) -> Sequence[ShownAccount]:
    found = [(*_SHOWN_ACCOUNTS[account.name], account.balance_pico) for account in accounts]
    return [ShownAccount(name, sign * balance_pico) for name, sign, balance_pico in found]

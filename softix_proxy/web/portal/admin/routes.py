"""The URL table of the operators' side. Each row names the right that opens it, and no row does without the door."""

from __future__ import annotations

from collections.abc import Sequence
from functools import wraps
from typing import NamedTuple

from softix_proxy.domain.accounts.operator_rights import NEEDS_RECENT_PROOF, OperatorRight
from softix_proxy.operations.accounts import operators
from softix_proxy.web.portal.admin import (
    accounts,
    audit,
    balance,
    documents,
    keys,
    live_traffic,
    mail,
    model_routes,
    models,
    overview,
    payments,
    prices,
    providers,
    security_events,
    usage,
    users,
)
from softix_proxy.web.portal.core.page import Access, Answer, PageHandler, PageRequest, PortalRoute


class GuardedPage(NamedTuple):
    """One row of the table: a page or an action, and the right that it needs. None is for every operator."""

    method: str
    pattern: str
    handler: PageHandler
    right: OperatorRight | None

    @property
    def access(self) -> Access:
        """What the frame demands before the door does. The form of a change needs the same proof as the change."""
        return Access.OPERATOR_RECENT if self.right in NEEDS_RECENT_PROOF else Access.OPERATOR

    def route(self) -> PortalRoute:
        return PortalRoute(self.method, self.pattern, _behind_the_door(self), self.access)


def _behind_the_door(page: GuardedPage) -> PageHandler:
    """Returns the handler behind the door, which says that there is no such page to whoever lacks the right."""
    needed = () if page.right is None else (page.right,)

    @wraps(page.handler)
    async def handler(request: PageRequest) -> Answer:
        operators.require(request.viewer.account, *needed)
        return await page.handler(request)

    return handler


PAGES: Sequence[GuardedPage] = (
    GuardedPage("GET", "/admin", overview.overview_page, None),
    GuardedPage("GET", "/admin/users", users.users_page, OperatorRight.SEE_USERS),
    GuardedPage("GET", "/admin/users/{id}", users.user_page, OperatorRight.SEE_USERS),
    GuardedPage("GET", "/admin/users/{id}/edit", users.edit_page, OperatorRight.CHANGE_USERS),
    GuardedPage("POST", "/admin/users/{id}/edit", users.edit, OperatorRight.CHANGE_USERS),
    GuardedPage("POST", "/admin/users/{id}/status", users.set_status, OperatorRight.CHANGE_USERS),
    GuardedPage("GET", "/admin/users/{id}/balance", balance.balance_page, OperatorRight.SEE_MONEY),
    GuardedPage("GET", "/admin/users/{id}/balance/change", balance.change_page, OperatorRight.MOVE_MONEY),
    GuardedPage("POST", "/admin/users/{id}/balance/change", balance.confirm_page, OperatorRight.MOVE_MONEY),
    GuardedPage("POST", "/admin/users/{id}/balance/post", balance.change, OperatorRight.MOVE_MONEY),
    GuardedPage("GET", "/admin/keys", keys.keys_page, OperatorRight.SEE_KEYS),
    GuardedPage("GET", "/admin/keys/{id}", keys.key_page, OperatorRight.SEE_KEYS),
    GuardedPage("GET", "/admin/keys/{id}/edit", keys.edit_page, OperatorRight.CHANGE_KEYS),
    GuardedPage("POST", "/admin/keys/{id}/edit", keys.edit, OperatorRight.CHANGE_KEYS),
    GuardedPage("POST", "/admin/keys/{id}/revoke", keys.revoke, OperatorRight.REVOKE_KEYS),
    GuardedPage("GET", "/admin/usage", usage.usage_page, OperatorRight.SEE_USAGE),
    GuardedPage("GET", "/admin/usage/{id}", usage.request_page, OperatorRight.SEE_USAGE),
    GuardedPage("GET", "/admin/traffic", live_traffic.traffic_page, OperatorRight.SEE_USAGE),
    GuardedPage("GET", "/admin/providers", providers.providers_page, OperatorRight.SEE_CATALOG),
    GuardedPage("GET", "/admin/providers/{id}", providers.provider_page, OperatorRight.SEE_CATALOG),
    GuardedPage("GET", "/admin/providers/{id}/disable", providers.disable_page, OperatorRight.CHANGE_CATALOG),
    GuardedPage("POST", "/admin/providers/{id}/status", providers.set_status, OperatorRight.CHANGE_CATALOG),
    GuardedPage("GET", "/admin/models", models.models_page, OperatorRight.SEE_CATALOG),
    GuardedPage("POST", "/admin/models", models.set_status, OperatorRight.CHANGE_CATALOG),
    GuardedPage("GET", "/admin/routes", model_routes.routes_page, OperatorRight.SEE_CATALOG),
    GuardedPage("POST", "/admin/routes/{id}/status", model_routes.set_status, OperatorRight.CHANGE_CATALOG),
    GuardedPage("GET", "/admin/prices", prices.prices_page, OperatorRight.SEE_CATALOG),
    GuardedPage("GET", "/admin/prices/proposals", prices.proposals_page, OperatorRight.SEE_CATALOG),
    GuardedPage("POST", "/admin/prices/proposals", prices.decide, OperatorRight.CHANGE_PRICES),
    GuardedPage("GET", "/admin/payments", payments.payments_page, OperatorRight.SEE_MONEY),
    GuardedPage("POST", "/admin/payments/refunds/{id}", payments.decide, OperatorRight.MOVE_MONEY),
    GuardedPage("GET", "/admin/documents", documents.documents_page, OperatorRight.SEE_MONEY),
    GuardedPage("GET", "/admin/documents/{number}.{form}", documents.download, OperatorRight.SEE_MONEY),
    GuardedPage("GET", "/admin/mail", mail.mail_page, OperatorRight.SEE_MAIL),
    GuardedPage("POST", "/admin/mail/{id}/retry", mail.retry, OperatorRight.RETRY_MAIL),
    GuardedPage("GET", "/admin/accounts", accounts.accounts_page, OperatorRight.SEE_SECURITY),
    GuardedPage("GET", "/admin/accounts/{id}", accounts.account_page, OperatorRight.SEE_SECURITY),
    GuardedPage("GET", "/admin/accounts/{id}/role", accounts.role_page, OperatorRight.GRANT_ROLES),
    GuardedPage("POST", "/admin/accounts/{id}/role", accounts.set_role, OperatorRight.GRANT_ROLES),
    GuardedPage("POST", "/admin/accounts/{id}/status", accounts.set_status, OperatorRight.GRANT_ROLES),
    GuardedPage("GET", "/admin/security-events", security_events.security_page, OperatorRight.SEE_SECURITY),
    GuardedPage("GET", "/admin/audit", audit.audit_page, OperatorRight.SEE_SECURITY),
)
"""Every page and every action, in the order of their use."""
ROUTES: Sequence[PortalRoute] = tuple(page.route() for page in PAGES)

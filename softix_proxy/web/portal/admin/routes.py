"""The URL table of the operators' side. Each row names its operation, and no row does without the door."""

from __future__ import annotations

from collections.abc import Sequence
from functools import wraps
from typing import NamedTuple

from softix_proxy.domain.access.operations import OPERATIONS
from softix_proxy.domain.access.permissions import WITHOUT_PROOF, Permission
from softix_proxy.domain.core.errors import NotFoundError, NotPermittedError
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

_SHOWS = "overview.show"
"""What the frame lets every page do: read. The door gives the storage that can write to the operation."""


class GuardedPage(NamedTuple):
    """One row of the table: a page or an action, and the operation that it shows or does."""

    method: str
    pattern: str
    handler: PageHandler
    operation: str
    """The name of an operation. Where a button chooses among several, this is one of them: all need the same."""

    @property
    def permission(self) -> Permission | None:
        """What opens it. None is for every operator."""
        return OPERATIONS[self.operation].permission

    @property
    def access(self) -> Access:
        """What the frame demands before the door does. The form of a change needs the same proof as the change."""
        needs_no_proof = self.permission is None or self.permission in WITHOUT_PROOF
        return Access.OPERATOR if needs_no_proof else Access.OPERATOR_RECENT

    def route(self) -> PortalRoute:
        return PortalRoute(self.method, self.pattern, _behind_the_door(self), self.access, _SHOWS)


def _behind_the_door(page: GuardedPage) -> PageHandler:
    """Returns the handler behind the door. To whoever lacks the permission, there is no such page.

    Whoever is no operator at all does not come as far as the door, so that nobody fills the audit.
    """

    @wraps(page.handler)
    async def handler(request: PageRequest) -> Answer:
        if not request.principal.permissions:
            raise NotFoundError("there is no such page")
        try:
            await request.door.enter(page.operation)
        except NotPermittedError:
            raise NotFoundError("there is no such page") from None
        return await page.handler(request)

    return handler


PAGES: Sequence[GuardedPage] = (
    GuardedPage("GET", "/admin", overview.overview_page, "overview.show"),
    GuardedPage("GET", "/admin/users", users.users_page, "users.list"),
    GuardedPage("GET", "/admin/users/{id}", users.user_page, "users.show"),
    GuardedPage("GET", "/admin/users/{id}/edit", users.edit_page, "users.update"),
    GuardedPage("POST", "/admin/users/{id}/edit", users.edit, "users.update"),
    GuardedPage("POST", "/admin/users/{id}/status", users.set_status, "users.disable"),
    GuardedPage("GET", "/admin/users/{id}/balance", balance.balance_page, "balance.show"),
    GuardedPage("GET", "/admin/users/{id}/balance/change", balance.change_page, "balance.adjust"),
    GuardedPage("POST", "/admin/users/{id}/balance/change", balance.confirm_page, "balance.adjust"),
    GuardedPage("POST", "/admin/users/{id}/balance/post", balance.change, "balance.adjust"),
    GuardedPage("GET", "/admin/keys", keys.keys_page, "keys.list"),
    GuardedPage("GET", "/admin/keys/{id}", keys.key_page, "keys.show"),
    GuardedPage("GET", "/admin/keys/{id}/edit", keys.edit_page, "keys.update"),
    GuardedPage("POST", "/admin/keys/{id}/edit", keys.edit, "keys.update"),
    GuardedPage("POST", "/admin/keys/{id}/revoke", keys.revoke, "keys.revoke"),
    GuardedPage("GET", "/admin/usage", usage.usage_page, "usage.list"),
    GuardedPage("GET", "/admin/usage/{id}", usage.request_page, "usage.show"),
    GuardedPage("GET", "/admin/traffic", live_traffic.traffic_page, "usage.traffic"),
    GuardedPage("GET", "/admin/providers", providers.providers_page, "providers.list"),
    GuardedPage("GET", "/admin/providers/{id}", providers.provider_page, "providers.show"),
    GuardedPage("GET", "/admin/providers/{id}/disable", providers.disable_page, "providers.disable"),
    GuardedPage("POST", "/admin/providers/{id}/status", providers.set_status, "providers.disable"),
    GuardedPage("GET", "/admin/models", models.models_page, "models.list"),
    GuardedPage("POST", "/admin/models", models.set_status, "models.disable"),
    GuardedPage("GET", "/admin/routes", model_routes.routes_page, "routes.list"),
    GuardedPage("POST", "/admin/routes/{id}/status", model_routes.set_status, "routes.disable"),
    GuardedPage("GET", "/admin/prices", prices.prices_page, "prices.list"),
    GuardedPage("GET", "/admin/prices/proposals", prices.proposals_page, "prices.proposals"),
    GuardedPage("POST", "/admin/prices/proposals", prices.decide, "prices.approve"),
    GuardedPage("GET", "/admin/payments", payments.payments_page, "payments.list"),
    GuardedPage("POST", "/admin/payments/refunds/{id}", payments.decide, "payments.approve-refund"),
    GuardedPage("GET", "/admin/documents", documents.documents_page, "bill.list"),
    GuardedPage("GET", "/admin/documents/{number}.{form}", documents.download, "bill.render"),
    GuardedPage("GET", "/admin/mail", mail.mail_page, "mail.list"),
    GuardedPage("POST", "/admin/mail/{id}/retry", mail.retry, "mail.retry"),
    GuardedPage("GET", "/admin/accounts", accounts.accounts_page, "accounts.list"),
    GuardedPage("GET", "/admin/accounts/{id}", accounts.account_page, "accounts.show"),
    GuardedPage("GET", "/admin/accounts/{id}/role", accounts.role_page, "accounts.set-role"),
    GuardedPage("POST", "/admin/accounts/{id}/role", accounts.set_role, "accounts.set-role"),
    GuardedPage("POST", "/admin/accounts/{id}/status", accounts.set_status, "accounts.disable"),
    GuardedPage("GET", "/admin/security-events", security_events.security_page, "security-events.list"),
    GuardedPage("GET", "/admin/abuse", security_events.alerts_page, "abuse.list"),
    GuardedPage("POST", "/admin/abuse/{id}/ack", security_events.acknowledge, "abuse.ack"),
    GuardedPage("GET", "/admin/audit", audit.audit_page, "audit.list"),
    GuardedPage("GET", "/admin/audit/{number}", audit.entry_page, "audit.show"),
)
"""Every page and every action, in the order of their use."""
ROUTES: Sequence[PortalRoute] = tuple(page.route() for page in PAGES)

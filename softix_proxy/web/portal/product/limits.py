"""The page of limits: what the organisation may spend, and how far each key is from its own limits."""

from __future__ import annotations

from softix_proxy.operations.metering import budgets
from softix_proxy.operations.metering.overview import wallet
from softix_proxy.operations.organisations import key_limits, organisation_keys
from softix_proxy.operations.organisations.organisation_keys import KeyCondition
from softix_proxy.web.portal.core.page import Answer, Page, PageRequest
from softix_proxy.web.portal.organisation.scope import scope_of
from softix_proxy.web.portal.product.query import keys_in


async def show_limits(request: PageRequest) -> Answer:
    scope = scope_of(request)
    views = [view for view in await organisation_keys.list_all(scope) if view.condition is KeyCondition.ACTIVE]
    values = {
        "wallet": await wallet(scope),
        "organisation": scope.organisation,
        "caps": await key_limits.of_organisation(scope),
        "budgets": await budgets.list_all(request.storage, scope.organisation.public_id, scope.membership),
        **keys_in(request, views),
    }
    return Page("limits", values)

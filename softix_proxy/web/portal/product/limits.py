"""The page of limits: what the organisation may spend, and how far each key is from its own limits."""

from __future__ import annotations

from softix_proxy.operations.metering import budgets
from softix_proxy.operations.metering.overview import wallet
from softix_proxy.operations.organisations import organisation_keys
from softix_proxy.operations.organisations.organisation_keys import KeyCondition
from softix_proxy.web.portal.core.page import Answer, Page, PageRequest
from softix_proxy.web.portal.organisation.scope import scope_of
from softix_proxy.web.portal.product.query import page_in

_KEYS_AT_ONCE = 50


async def show_limits(request: PageRequest) -> Answer:
    scope = scope_of(request)
    views = [view for view in await organisation_keys.list_all(scope) if view.condition is KeyCondition.ACTIVE]
    page = page_in(request)
    start = (page - 1) * _KEYS_AT_ONCE
    values = {
        "wallet": await wallet(scope),
        "organisation": scope.organisation,
        "budgets": await budgets.list_all(request.storage, scope.organisation.public_id, scope.membership),
        "views": views[start : start + _KEYS_AT_ONCE],
        "page": page,
        "has_more": start + _KEYS_AT_ONCE < len(views),
    }
    return Page("limits", values)

"""The page that says how programs are connected: the address, and lines to copy for each SDK and client."""

from __future__ import annotations

import asyncio

from softix_proxy.domain.catalog.models import NAME
from softix_proxy.domain.core.key_text import without_keys
from softix_proxy.operations.catalog import offered_models
from softix_proxy.operations.instance.connect import ClientAccess
from softix_proxy.operations.instance.snippets import KEY_PLACEHOLDER, api_address, snippets
from softix_proxy.operations.metering import organisation_usage
from softix_proxy.web.portal.core.page import Answer, Page, PageRequest
from softix_proxy.web.portal.organisation.scope import scope_of


async def show_connect(request: PageRequest) -> Answer:
    asked = without_keys(request.query.get("model", "").strip())
    model = asked if NAME.fullmatch(asked) else await _usual_model(request)
    address = api_address(request.settings.portal, request.settings.server, is_local=request.url.is_loopback)
    access = ClientAccess(address.url, KEY_PLACEHOLDER, model or None)
    values = {
        "address": address,
        "model": model,
        "snippets": await asyncio.to_thread(snippets, access),  # it loads libraries, which takes 60 ms at first
        "may_make": scope_of(request).may_make_keys,
    }
    return Page("connect", values)


async def _usual_model(request: PageRequest) -> str:
    """Returns the model that the organisation spent most on, or else the first that it may use."""
    scope = scope_of(request)
    used = await organisation_usage.models_used(scope)
    if used:
        return used[0].id
    found = await offered_models.offered(request.storage, scope.organisation)
    return found.models[0].name if found.models else ""

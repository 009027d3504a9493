"""The page of the models that the organisation, or one of its keys, may use, with their prices."""

from __future__ import annotations

from urllib.parse import urlencode

from softix_proxy.domain.core.key_text import without_keys
from softix_proxy.operations.catalog import offered_models
from softix_proxy.operations.catalog.offered_models import MOST_QUERY
from softix_proxy.operations.organisations import organisation_keys
from softix_proxy.operations.organisations.organisation_keys import KeyCondition
from softix_proxy.web.portal.core.page import Answer, Page, PageRequest
from softix_proxy.web.portal.organisation.scope import scope_of
from softix_proxy.web.portal.product.query import page_in

_MOST_CHOICES = 200


async def list_models(request: PageRequest) -> Answer:
    """Lists the models that the organisation, or one of its keys, may use, with what they cost."""
    scope = scope_of(request)
    query = without_keys(request.query.get("q", "").strip()[:MOST_QUERY])
    key_id = request.query.get("key", "")
    views = await organisation_keys.list_all(scope)
    key = (await organisation_keys.show(scope, key_id)).key if key_id else None
    found = await offered_models.offered(request.storage, scope.organisation, key, query, page_in(request))
    choices = [
        (view.key.public_id, view.key.label or view.key.prefix)
        for view in views
        if view.condition is KeyCondition.ACTIVE or view.key.public_id == key_id
    ]
    asked = {name: value for name, value in (("q", query), ("key", key_id)) if value}
    values = {
        "found": found,
        "q": query,
        "key_id": key_id,
        "key_choices": choices[:_MOST_CHOICES],
        "path": f"/models?{urlencode(asked)}&" if asked else "/models?",
    }
    return Page("models", values)

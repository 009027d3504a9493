"""The routes for the pages of an organisation."""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.web.portal.core.page import Access, PortalRoute
from softix_proxy.web.portal.product import connect, key_limits, keys, limits, models, overview, requests, usage

_SIGNED_IN, _RECENT = Access.SIGNED_IN, Access.RECENT
ROUTES: Sequence[PortalRoute] = (
    PortalRoute("GET", "/", overview.show_overview, _SIGNED_IN, "overview.show"),
    PortalRoute("GET", "/keys", keys.list_keys, _SIGNED_IN, "keys.list"),
    PortalRoute("GET", "/keys/new", keys.new_key, _RECENT, "keys.list"),
    PortalRoute("POST", "/keys/new", keys.create_key, _RECENT, "keys.create"),
    PortalRoute("GET", "/keys/{key_id}", keys.show_key, _SIGNED_IN, "keys.show"),
    PortalRoute("POST", "/keys/{key_id}", keys.change_key, _SIGNED_IN, "keys.update"),
    PortalRoute("POST", "/keys/{key_id}/limits", key_limits.change_limits, _SIGNED_IN, "keys.limits"),
    PortalRoute("GET", "/keys/{key_id}/rotate", keys.ask_rotation, _RECENT, "keys.show"),
    PortalRoute("POST", "/keys/{key_id}/rotate", keys.rotate_key, _RECENT, "keys.rotate"),
    PortalRoute("GET", "/keys/{key_id}/revoke", keys.ask_revocation, _SIGNED_IN, "keys.show"),
    PortalRoute("POST", "/keys/{key_id}/revoke", keys.revoke_key, _SIGNED_IN, "keys.revoke"),
    PortalRoute("GET", "/usage", usage.show_usage, _SIGNED_IN, "usage.list"),
    PortalRoute("GET", "/usage.csv", usage.usage_csv, _SIGNED_IN, "usage.list"),
    PortalRoute("GET", "/requests/{request_id}", requests.show_request, _SIGNED_IN, "usage.show"),
    PortalRoute("GET", "/limits", limits.show_limits, _SIGNED_IN, "budgets.list"),
    PortalRoute("GET", "/models", models.list_models, _SIGNED_IN, "models.list"),
    PortalRoute("GET", "/connect", connect.show_connect, _SIGNED_IN, "models.list"),
)
"""What shows the text of a new key needs a recent proof of who it is. Revoking does not, so that it is quick."""

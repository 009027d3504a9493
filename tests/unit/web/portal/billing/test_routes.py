from __future__ import annotations

from softix_proxy.web.portal.billing.routes import ROUTES
from softix_proxy.web.portal.core.page import Access


def test_only_the_webhook_is_for_programs_and_what_moves_money_needs_a_recent_proof() -> None:
    of = {(route.method, route.pattern): route.access for route in ROUTES}
    assert [key for key, access in of.items() if access is Access.PROGRAM] == [("POST", "/webhooks/stripe")]
    recent = {key for key, access in of.items() if access is Access.RECENT}
    assert recent == {("POST", path) for path in ("/billing/methods", "/billing/auto-top-up", "/billing/refunds")}
    assert not [key for key, access in of.items() if access is Access.PUBLIC]

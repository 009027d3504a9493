"""The routes of this folder: who may open what."""

from __future__ import annotations

from softix_proxy.web.portal.access.routes import ROUTES
from softix_proxy.web.portal.core.page import Access


def test_only_these_pages_are_open_to_everybody() -> None:
    assert {route.pattern for route in ROUTES if route.access is Access.PUBLIC} == {
        "/register",
        "/reset",
        "/sign-in",
        "/sign-out",
        "/verify",
        "/verify/again",
    }


def test_page_that_changes_something_is_a_post() -> None:
    assert {route.method for route in ROUTES} == {"GET", "POST"}
    assert "/sign-out" not in {route.pattern for route in ROUTES if route.method == "GET"}

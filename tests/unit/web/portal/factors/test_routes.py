from softix_proxy.web.portal.core.page import Access
from softix_proxy.web.portal.factors.routes import ROUTES


def test_every_change_of_factors_needs_a_recent_proof() -> None:
    changes = [route for route in ROUTES if route.method == "POST" and route.pattern.startswith("/account/")]
    assert len(changes) == 9 and {route.access for route in changes} == {Access.RECENT}


def test_every_form_has_a_page_to_come_back_to() -> None:
    """After a proof of who it is a person is led to the address of the form by GET."""
    pages = {route.pattern for route in ROUTES if route.method == "GET"}
    assert {route.pattern for route in ROUTES if route.method == "POST" and "{" not in route.pattern} <= pages

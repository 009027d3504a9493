"""The list of steps itself. What each of them does is tested with a listener, in test_portal_app.py."""

from __future__ import annotations

from softix_proxy.web.portal.core.portal_router import PortalRouter
from softix_proxy.web.portal.core.steps import steps


def test_steps_check_the_host_first_and_read_the_body_last() -> None:
    assert [step.__name__ for step in steps(PortalRouter([]))] == [
        "check_host",
        "find_route",
        "check_origin",
        "read_query",
        "find_viewer",
        "check_access",
        "read_body",
        "run_handler",
    ]

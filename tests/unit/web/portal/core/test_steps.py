"""The list of steps itself. What each of them does is tested with a listener, in test_portal_app.py."""

from __future__ import annotations

from typing import Any

from support.portal import Portal

from softix_proxy.domain.access.users import UserRole
from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.web.portal.core.page import Access, Answer, Content, PageRequest, PortalRoute
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
        "find_origin",
        "run_handler",
    ]


async def empty(request: PageRequest) -> Answer:
    return Content(b"", "text/plain")


ROUTES = [
    PortalRoute("GET", "/admin/y", empty, Access.OPERATOR_RECENT, "page.show"),
    PortalRoute("POST", "/admin/y", empty, Access.OPERATOR_RECENT, "page.show"),
    PortalRoute("GET", "/admin/y/{id}", empty, Access.OPERATOR, "page.show"),
    PortalRoute("POST", "/admin/y/{id}/money/post", empty, Access.OPERATOR_RECENT, "page.show"),
]


async def test_operators_page_of_money_needs_a_recent_proof_too_and_leads_back_to_its_form(serve: Any) -> None:
    async with serve(ROUTES) as portal:
        await ask_as_each(portal)


async def ask_as_each(portal: Portal) -> None:
    ada = await portal.sign_in(await portal.account(), "ada")
    admin = await portal.sign_in(await portal.account("eve@example.org", role=UserRole.ADMIN), "eve")
    assert (await portal.get("/admin/y", token=admin)).status == 200
    portal.clock.us += 15 * 60 * SECOND_US + 1
    for method, path, back in (
        ("GET", "/admin/y", "%2Fadmin%2Fy"),
        ("POST", "/admin/y", "%2Fadmin%2Fy"),
        ("POST", "/admin/y/7/money/post", "%2Fadmin%2Fy%2F7"),
    ):
        assert (await portal.ask(method, path, token=admin)).location == f"/sign-in/confirm?next={back}"
        assert (await portal.ask(method, path, token=ada)).status == 404
    assert (await portal.get("/admin/y/7", token=admin)).status == 200
    assert (await portal.post("/admin/y")).status == 404

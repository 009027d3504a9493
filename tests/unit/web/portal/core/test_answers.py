"""The layout of a page: what it shows to whom. Its headers and cookies are tested in test_portal_app.py."""

from __future__ import annotations

from typing import Any

from support.portal import organisation

from softix_proxy.web.portal.core.page import Access, Answer, Page, PageRequest, PortalRoute

SCRIPT = "<script>alert(1)</script>"


async def page(request: PageRequest) -> Answer:
    return Page("error", {"name": "input", "told": {}, "request_id": None})


ROUTES = [
    PortalRoute("GET", path, page, Access.PUBLIC, "page.show")
    for path in ("/", "/keys", "/keys/new", "/account", "/sign-in")
]


async def test_layout_shows_the_menu_the_organisation_and_the_name_escaped(serve: Any) -> None:
    async with serve(ROUTES) as portal:
        ada = await portal.account(display_name=SCRIPT)
        await organisation(portal, "ada-labs", ada)
        got = await portal.get("/keys/new", token=await portal.sign_in(ada))
    assert SCRIPT not in got.text
    assert "&lt;script&gt;" in got.text
    assert "ada-labs" in got.text
    assert '<a href="/keys" aria-current="page">Keys</a>' in got.text
    assert '<form method="post" action="/sign-out">' in got.text


async def test_layout_without_a_viewer_has_no_menu_and_a_way_to_sign_in(serve: Any) -> None:
    async with serve(ROUTES) as portal:
        got = await portal.get("/keys")
    assert "<nav" not in got.text
    assert '<a href="/sign-in">Sign in</a>' in got.text
    assert "sign-out" not in got.text

from __future__ import annotations

from collections.abc import Mapping

import pytest

from softix_proxy.web.portal.core.page import Access, Answer, Content, PageRequest, PortalRoute
from softix_proxy.web.portal.core.portal_router import PortalRouter


async def show(request: PageRequest) -> Answer:
    return Content(b"", "text/plain")


def route(method: str, pattern: str) -> PortalRoute:
    return PortalRoute(method, pattern, show, Access.PUBLIC, "page.show")


ROUTER = PortalRouter(
    [
        route("GET", "/keys"),
        route("POST", "/keys"),
        route("GET", "/keys/new"),
        route("GET", "/keys/{id}"),
        route("POST", "/keys/{id}/revoke"),
        route("GET", "/billing/documents/{number}.{form}"),
    ]
)


@pytest.mark.parametrize(
    ("path", "pattern", "parts"),
    [
        ("/keys", "/keys", {}),
        ("/keys/new", "/keys/new", {}),
        ("/keys/key_1", "/keys/{id}", {"id": "key_1"}),
        ("/keys/a%20b", "/keys/{id}", {"id": "a b"}),
        (
            "/billing/documents/R-2026-1.pdf",
            "/billing/documents/{number}.{form}",
            {"number": "R-2026-1", "form": "pdf"},
        ),
    ],
)
def test_path_has_its_route_and_its_parts(path: str, pattern: str, parts: Mapping[str, str]) -> None:
    found = ROUTER.find(path)
    assert found is not None
    assert found.by_method["GET"].pattern == pattern
    assert found.parts == parts


def test_path_has_the_routes_of_all_its_methods() -> None:
    found = ROUTER.find("/keys")
    assert found is not None
    assert set(found.by_method) == {"GET", "POST"}


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/key",
        "/keys/",
        "/keys/a/b",
        "/keys/a%2Fb",
        "/keys/a%5cb",
        "/keys/%00",
        "/keys/%ff",
        "//keys",
        "/KEYS",
        "/keys/" + "a" * 600,
    ],
)
def test_other_path_has_none(path: str) -> None:
    assert ROUTER.find(path) is None


def test_two_routes_of_one_method_and_pattern_are_refused() -> None:
    with pytest.raises(ValueError, match="two routes are GET /keys"):
        PortalRouter([route("GET", "/keys"), route("GET", "/keys")])

from __future__ import annotations

from typing import Any

import pytest
from support.route_matrix import PATHS

from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.web.inference.routes import DEPLOYABLE
from softix_proxy.web.route_table import ROUTES
from softix_proxy.web.router.path_patterns import PathPatterns
from softix_proxy.web.router.path_resolver import PathResolver
from softix_proxy.web.router.route import ANY, WEBSOCKET, Auth, Route

RESOLVER = PathResolver(PathPatterns(ROUTES), DEPLOYABLE)
OPEN = {"/", "/api/hello", "/healthz", "/readyz"}
"""What whoever reaches the port may read: it tells nothing of anybody."""


def by_id(route: Route) -> str:
    return f"{route.method} {route.pattern}"


def example(route: Route) -> str:
    """A path that only this row's pattern has."""
    return (
        route.pattern.replace("{rest:path}", "a/b/c")
        .replace("{model:path}", "none")
        .replace("{request_id:path}", "req_0000000000000")
        .replace("{id}", "a")
    )


def test_route_table_entries_all_have_a_path_in_the_golden_table() -> None:
    reached = {id(row) for path in PATHS for row in RESOLVER.resolve(path.partition("?")[0]).entry.by_method.values()}
    forgotten = [by_id(route) for route in ROUTES if id(route) not in reached]
    assert not forgotten, f"{forgotten}\ninstead: a path in support.route_matrix, and its lines in tests/golden/routing"


@pytest.mark.parametrize("route", ROUTES, ids=by_id)
def test_route_requested_by_its_own_path_is_found(route: Route) -> None:
    family = route.families[0] if route.families else "openai"
    method = "PATCH" if route.method == ANY else route.method
    for base in ("", "/v1", "//v1/"):
        assert RESOLVER.resolve(base + example(route)).entry.route(method, family) is route


@pytest.mark.parametrize("route", ROUTES, ids=by_id)
def test_route_authentication_is_public_only_for_the_listed_pages(route: Route) -> None:
    expected = Auth.PUBLIC if route.pattern in OPEN else None
    expected = Auth.METRICS_NETWORK if route.pattern == "/metrics" else expected
    assert route.auth is expected or (expected is None and route.auth in (Auth.API_KEY, Auth.API_KEY_IN_HANDLER))


@pytest.mark.parametrize(
    "route", [row for row in ROUTES if row.auth in (Auth.API_KEY, Auth.API_KEY_IN_HANDLER)], ids=by_id
)
async def test_route_that_needs_a_key_is_refused_without_a_valid_one(route: Route, place: Any) -> None:
    method = {ANY: "PATCH", WEBSOCKET: "GET"}.get(route.method, route.method)
    handshake = {
        "upgrade": "websocket",
        "connection": "upgrade",
        "sec-websocket-version": "13",
        "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    headers = handshake if route.method == WEBSOCKET else {}
    for key in (None, "unknown"):
        path = f"/v1{example(route)}{'?model=llama' if headers else ''}"
        status, _, _ = await place.ask(method, path, key=key, headers=headers)
        assert status == 401
    assert place.journal.intents == [] and place.upstream.calls == []


def test_endpoint_routes_are_exactly_one_for_each_endpoint() -> None:
    posts = [route for route in ROUTES if route.label in ENDPOINTS]
    assert sorted(route.label for route in posts) == sorted(ENDPOINTS)
    assert {route.method for route in posts} == {"POST"}
    assert all(route.family == ENDPOINTS[route.label].family for route in posts)


def test_azure_deployment_paths_cover_every_fixed_path_of_openai() -> None:
    fixed = {name for name, endpoint in ENDPOINTS.items() if endpoint.family == "openai"}
    assert {RESOLVER.resolve(path).entry.by_method["POST"].label for path in DEPLOYABLE} == fixed

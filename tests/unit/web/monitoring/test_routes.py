from __future__ import annotations

from typing import Any

import pytest

from softix_proxy.web.monitoring.routes import ROUTES
from softix_proxy.web.router.route import Auth


def test_metrics_route_is_the_only_one_that_checks_the_network() -> None:
    assert {route.pattern for route in ROUTES if route.auth is Auth.METRICS_NETWORK} == {"/metrics"}
    assert {route.auth for route in ROUTES if route.pattern != "/metrics"} == {Auth.PUBLIC}


@pytest.mark.parametrize(("headers", "status"), [({}, 405), ({"via": "1.1 proxy"}, 404)])
async def test_metrics_route_requested_through_a_proxy_is_not_found(
    headers: dict[str, str], status: int, place: Any
) -> None:
    assert (await place.ask("DELETE", "/metrics", key=None, headers=headers))[0] == status

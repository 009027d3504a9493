from __future__ import annotations

from typing import Any

import pytest

from softix_proxy.web.monitoring.routes import ROUTES
from softix_proxy.web.router.route import Auth


def test_metrics_alone_ask_who_reads_them() -> None:
    assert {route.pattern for route in ROUTES if route.auth is Auth.METRICS_NETWORK} == {"/metrics"}
    assert {route.auth for route in ROUTES if route.pattern != "/metrics"} == {Auth.PUBLIC}


@pytest.mark.parametrize(("headers", "status"), [({}, 405), ({"via": "1.1 proxy"}, 404)])
async def test_who_may_not_read_metrics_does_not_learn_that_they_are_there(
    headers: dict[str, str], status: int, place: Any
) -> None:
    assert (await place.ask("DELETE", "/metrics", key=None, headers=headers))[0] == status

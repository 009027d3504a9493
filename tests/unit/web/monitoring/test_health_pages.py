from typing import Any

import pytest

from softix_proxy import __version__
from softix_proxy.domain.instance.readiness import Trouble


@pytest.mark.parametrize("path", ["/", "/v1", "/api/hello"])
async def test_root_page_returns_the_name_and_version(place: Any, path: str) -> None:
    assert (await place.ask("GET", path, key=None))[2] == {"name": "softix-proxy", "version": __version__}
    assert (await place.ask("HEAD", path, key=None))[0] == 200


async def test_readiness_page_reports_why_softix_is_not_ready(place: Any) -> None:
    assert (await place.ask("GET", "/healthz", key=None))[2] == {"status": "ok"}
    assert (await place.ask("GET", "/readyz", key=None))[:3:2] == (200, {"status": "ready"})
    place.unready = Trouble("SQLITE_FULL", "the disk is full", "make room", 1_800_000_000_000_000)
    status, _, body = await place.ask("GET", "/readyz", key=None)
    assert (status, body) == (
        503,
        {
            "status": "not ready",
            "reason": "the disk is full",
            "code": "SQLITE_FULL",
            "remedy": "make room",
            "since": "2027-01-15T08:00:00.000000Z",
        },
    )
    place.unready = Trouble("SQLITE_FULL", "the disk is full", "make room")
    assert "since" not in (await place.ask("GET", "/readyz", key=None))[2]
    place.context.monitor.draining = True
    assert (await place.ask("GET", "/readyz", key=None))[2]["reason"] == "stopping"


async def test_metrics_page_returns_the_prometheus_text_format(place: Any) -> None:
    status, headers, body = await place.ask("GET", "/metrics", key=None)
    assert (status, body) == (200, "softix_up 1\n") and headers["content-type"].startswith("text/plain")

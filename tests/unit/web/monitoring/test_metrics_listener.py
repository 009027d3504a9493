from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import pytest

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.instance.sections import ServerSection
from softix_proxy.web.core.metrics_access import MetricsAccess
from softix_proxy.web.monitoring.metrics_listener import listen


async def there(place: Any, caplog: pytest.LogCaptureFixture, section: ServerSection) -> tuple[str, Any]:
    """Where metrics are told, and what closes it."""
    with caplog.at_level(logging.INFO, "softix.web"):
        place.context.metrics_access = MetricsAccess.of(section)
        close = await listen(place.context, place.server._listening, section, 0)
    [url] = [record.__dict__["url"] for record in caplog.records if "url" in record.__dict__]
    return url.removesuffix("/metrics"), close


async def test_metrics_listener_serves_metrics_and_refuses_other_paths(
    place: Any, caplog: pytest.LogCaptureFixture
) -> None:
    url, close = await there(place, caplog, ServerSection(metrics_port=0))
    beside = replace(place, url=url)
    assert (await beside.ask("GET", "/metrics", key=None))[2] == "softix_up 1\n"
    assert (await beside.ask("GET", "/metrics", key=None, headers={"via": "1.1 mesh"}))[0] == 200
    assert (await beside.ask("GET", "/readyz", key=None))[2] == {"status": "ready"}
    for method, path in (("GET", "/v1/models"), ("POST", "/v1/chat/completions"), ("POST", "/metrics"), ("GET", "/")):
        status, headers, body = await beside.ask(method, path)
        assert status == 404 and "/metrics" in body["error"]["message"] and headers["x-softix-request-id"]
    assert (await place.ask("GET", "/metrics", key=None))[0] == 404
    assert (await place.ask("GET", "/v1/models"))[0] == 200
    await close()
    with pytest.raises(OSError):
        await beside.ask("GET", "/metrics", key=None)


async def test_metrics_listener_with_networks_refuses_other_addresses(
    place: Any, caplog: pytest.LogCaptureFixture
) -> None:
    url, close = await there(place, caplog, ServerSection(metrics_port=0, metrics_networks=("10.0.0.0/8",)))
    status, _, body = await replace(place, url=url).ask("GET", "/metrics", key=None)
    assert status == 404 and "metrics_networks" in body["error"]["message"]
    await close()


async def test_metrics_listener_on_a_used_port_is_refused_with_the_name_of_its_setting(place: Any) -> None:
    with pytest.raises(FailureError, match=f"port {place.port}") as failure:
        await listen(place.context, place.server._listening, ServerSection(), place.port)
    assert "server.metrics_port" in failure.value.remedy

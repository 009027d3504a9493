from __future__ import annotations

from typing import Any

from softix_proxy.domain.core.ids import parse_request_id
from softix_proxy.domain.instance.sections import ServerSection


async def test_app_context_after_take_uses_the_new_settings(place: Any) -> None:
    section = ServerSection(
        max_body_mib=3, body_timeout_s=7, trusted_proxies=("127.0.0.1",), metrics_networks=("10.0.0.0/8",)
    )
    place.context.take(section)
    assert (place.context.max_body_bytes, place.context.body_timeout_s) == (3 * 1024**2, 7)
    assert place.context.client_addresses.of("127.0.0.1", "192.0.2.1") == "192.0.2.1"
    assert (await place.ask("GET", "/metrics", key=None))[0] == 404


async def test_app_context_after_stop_taking_refuses_requests_and_ends_sessions(place: Any, monkeypatch: Any) -> None:
    ended: list[bool] = []
    monkeypatch.setattr(type(place.context.sessions), "wind_up", lambda sessions: ended.append(True))
    place.context.stop_taking()
    assert place.context.monitor.draining and ended == [True]


def test_app_context_returns_a_new_request_id_each_time(place: Any) -> None:
    first, second = place.context.new_request_id(), place.context.new_request_id()
    assert first != second and parse_request_id(first) is not None

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.domain.instance.sections import ServerSection
from softix_proxy.web.core.metrics_access import MetricsAccess, told_by_proxy

DIRECT = {"host": "127.0.0.1:8484", "user-agent": "Prometheus/3.8", "x-prometheus-scrape-timeout-seconds": "10"}


def request(
    peer: str = "127.0.0.1", here: str = "127.0.0.1", version: tuple[int, int] = (1, 1), path: str = "/metrics"
) -> Any:
    ends = {"peername": (peer, 4711), "sockname": (here, 8484)}
    return SimpleNamespace(
        transport=SimpleNamespace(get_extra_info=ends.get),
        version=SimpleNamespace(major=version[0], minor=version[1]),
        raw_path=path,
    )


def refused(scrapers: MetricsAccess, asked: Any, named: dict[str, str]) -> str:
    """Empty where it is not."""
    try:
        scrapers.admit(asked, named)
    except RefusedError as error:
        assert error.code is Code.NOT_FOUND
        return error.message
    return ""


@pytest.mark.parametrize(
    ("peer", "here", "host"),
    [
        ("127.0.0.1", "127.0.0.1", "127.0.0.1:8484"),
        ("127.0.0.1", "127.0.0.1", "localhost:8484"),
        ("::1", "::1", "[::1]:8484"),
        ("::ffff:127.0.0.1", "::ffff:127.0.0.1", "localhost"),
        ("10.0.0.5", "10.0.0.5", "10.0.0.5:8484"),
        ("127.0.0.1", "127.0.0.1", ""),
    ],
)
def test_metrics_requested_from_this_machine_are_admitted(peer: str, here: str, host: str) -> None:
    assert refused(MetricsAccess(), request(peer, here), {**DIRECT, "host": host}) == ""


@pytest.mark.parametrize(
    ("peer", "here"), [("10.0.0.9", "10.0.0.5"), ("192.0.2.1", "127.0.0.1"), ("", "127.0.0.1"), ("2001:db8::9", "::1")]
)
def test_metrics_requested_from_another_machine_are_refused(peer: str, here: str) -> None:
    assert "metrics_networks" in refused(MetricsAccess(), request(peer, here), DIRECT)


@pytest.mark.parametrize(
    "header",
    [
        "x-forwarded-for",
        "x-forwarded-proto",
        "x-forwarded-host",
        "x-forwarded-port",
        "x-forwarded",
        "forwarded",
        "x-real-ip",
        "via",
        "x-client-ip",
        "true-client-ip",
        "cf-connecting-ip",
        "x-envoy-external-address",
        "x-original-uri",
        "x-amzn-trace-id",
        "fly-client-ip",
    ],
)
def test_metrics_requested_with_a_proxy_header_are_refused(header: str) -> None:
    """Whatever it says, the client's own address included."""
    assert told_by_proxy({**DIRECT, header: "127.0.0.1"})
    assert refused(MetricsAccess(("0.0.0.0/0",)), request(), {**DIRECT, header: "127.0.0.1"})
    assert refused(MetricsAccess(("0.0.0.0/0",)), request("10.0.0.9", "10.0.0.5"), {**DIRECT, header: ""})


@pytest.mark.parametrize(
    ("version", "host"),
    [
        ((1, 0), "127.0.0.1:8484"),
        ((1, 1), "ai.example.com"),
        ((1, 1), "ai.example.com:443"),
        ((1, 1), "203.0.113.5"),
        ((1, 1), "[2001:db8::1]:443"),
        ((1, 1), "AI"),
    ],
)
def test_metrics_requested_through_a_silent_local_proxy_are_refused(version: tuple[int, int], host: str) -> None:
    """By how it speaks, and by the name that it passes on."""
    assert refused(MetricsAccess(), request(version=version), {**DIRECT, "host": host})


def test_metrics_requested_from_a_configured_network_are_told_where_to_go(caplog: pytest.LogCaptureFixture) -> None:
    scrapers, named = MetricsAccess(), {**DIRECT, "host": "softix.internal.example:8484"}
    assert "metrics_networks" in refused(scrapers, request("10.0.0.9", "10.0.0.5"), named) and not caplog.records
    scrapers.take(ServerSection(metrics_networks=("10.0.0.0/8",)))
    assert "server.metrics_networks needs server.metrics_port" in caplog.text
    assert "Set server.metrics_port" in refused(scrapers, request("10.0.0.9", "10.0.0.5"), named)
    assert "metrics_networks" in refused(scrapers, request("192.0.2.9", "10.0.0.5"), named)
    assert refused(scrapers, request(), DIRECT), "the loopback is not among them"


def test_metrics_with_their_own_listener_are_refused_elsewhere() -> None:
    scrapers = MetricsAccess.of(ServerSection(metrics_port=9484, metrics_networks=("10.0.0.0/8",)))
    assert "metrics_port" in refused(scrapers, request("10.0.0.9", "10.0.0.5"), DIRECT)
    scrapers.admit_there(request("10.0.0.9", "10.0.0.5", (1, 0)))
    with pytest.raises(RefusedError):
        scrapers.admit_there(request("192.0.2.9", "10.0.0.5"))


SPELLINGS = (
    "/metrics",
    "/v1/metrics",
    "//metrics",
    "/METRICS",
    "/%6detrics",
    "/x/../metrics",
    "/metrics/",
    "/metrics?a",
)


@pytest.mark.parametrize("path", SPELLINGS)
async def test_metrics_path_in_any_other_spelling_or_through_a_proxy_is_not_found(path: str, place: Any) -> None:
    here = b"200" if path.partition("?")[0] == "/metrics" else b"404"
    for head, status in (("", here), ("via: 1.1 proxy\r\n", b"404")):
        reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
        writer.write(f"GET {path} HTTP/1.1\r\nhost: localhost\r\n{head}connection: close\r\n\r\n".encode())
        answer = await reader.read()
        assert answer.split()[1] == status and (b"softix_up" in answer) == (status == b"200")
        writer.close()

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from softix_proxy.doctor.findings import Severity
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.ports.upstream import Fetched
from softix_proxy.settings import Settings

FULL = {
    "status": "not ready",
    "reason": "the books cannot be written: the disk is full",
    "code": "SQLITE_FULL",
    "remedy": "make room",
    "since": "2027-01-15T08:00:00Z",
}


class Daemon:
    def __init__(self, status: int = 200, told: Any = None, error: Exception | None = None) -> None:
        self.asked: list[str] = []
        self._answer, self._error = (
            Fetched(status, told if isinstance(told, bytes) else json.dumps(told).encode()),
            error,
        )

    async def __call__(self, url: str, headers: Mapping[str, str], document: None) -> Fetched:
        self.asked.append(url)
        assert headers == {}
        if self._error is not None:
            raise self._error
        return self._answer


@pytest.mark.parametrize(
    ("daemon", "severity", "said", "remedy"),
    [
        (Daemon(200, {"status": "ready"}), Severity.OK, "is ready at", ""),
        (Daemon(503, FULL), Severity.ERROR, "the disk is full (since 2027-01-15T08:00:00Z)", "make room"),
        (Daemon(503, {"status": "not ready", "reason": "stopping"}), Severity.WARNING, "stopping", "wait"),
        (Daemon(error=FailureError("x")), Severity.OK, "does not run at", ""),
        (Daemon(200, b"<html>"), Severity.WARNING, "another program", "server.port"),
        (Daemon(200, [1]), Severity.WARNING, "another program", "server.port"),
    ],
)
async def test_daemon_check_reports_what_the_daemon_says(
    made: Settings, look, daemon: Daemon, severity: Severity, said: str, remedy: str
) -> None:
    [found] = await look("daemon", daemon=daemon)
    assert found.severity is severity and said in found.message and remedy in found.remedy
    assert daemon.asked == [f"http://127.0.0.1:{made.server.port}/readyz"]


@pytest.mark.parametrize(
    ("host", "tls", "url"),
    [
        ("0.0.0.0", None, "http://127.0.0.1:8443/readyz"),
        ("::", Path("cert.pem"), "https://[::1]:8443/readyz"),
        ("10.1.2.3", Path("cert.pem"), "https://10.1.2.3:8443/readyz"),
    ],
)
async def test_daemon_check_requests_the_address_where_the_daemon_listens(
    made: Settings, look, host: str, tls: Path | None, url: str
) -> None:
    daemon = Daemon(200, {"status": "ready"})
    there = replace(made, server=replace(made.server, host=host, port=8443, tls_cert=tls))
    await look("daemon", daemon=daemon, settings=there)
    assert daemon.asked == [url]


async def test_daemon_check_of_a_daemon_that_asks_for_certificates_does_not_claim_that_it_is_down(
    made: Settings, look
) -> None:
    there = replace(made, server=replace(made.server, tls_cert=Path("cert.pem"), tls_client_ca=Path("clients.pem")))
    [found] = await look("daemon", daemon=Daemon(error=FailureError("x")), settings=there)
    assert found.severity is Severity.OK and "answers only clients with a certificate" in found.message


@pytest.mark.parametrize(
    ("changes", "warned"),
    [
        ({}, False),
        ({"metrics_networks": ("10.0.0.0/8",)}, True),
        ({"metrics_networks": ("127.0.0.1/32", "10.0.0.0/8")}, True),
        ({"metrics_networks": ("10.0.0.0/8",), "metrics_port": 9484}, False),
    ],
)
async def test_daemon_check_warns_of_machines_that_cannot_read_the_metrics(
    made: Settings, look, changes: dict[str, Any], warned: bool
) -> None:
    settings = replace(made, server=replace(made.server, **changes))
    found = await look("daemon", settings=settings)
    assert [one.message for one in found if "metrics_networks" in one.message] == (
        ["server.metrics_networks names other machines, which cannot read /metrics at server.port"] if warned else []
    )

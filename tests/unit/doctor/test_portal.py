from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.listener import Listener

from softix_proxy.doctor.findings import Severity
from softix_proxy.settings import Settings

HTTPS = "https://portal.example.org"


def with_portal(
    settings: Settings, *, proxies: tuple[str, ...] = (), tls: Path | None = None, **portal: Any
) -> Settings:
    return replace(
        settings,
        portal=replace(settings.portal, **portal),
        server=replace(settings.server, trusted_proxies=proxies, tls_cert=tls, tls_key=tls),
    )


async def test_instance_without_a_portal_has_nothing_to_check(made: Settings, look: Any) -> None:
    [found] = await look("portal", daemon=Listener())
    assert (found.severity, found.message) == (Severity.OK, "there is no portal: portal.public_url is not set")


@pytest.mark.parametrize(
    ("body", "severity", "said"),
    [
        (b'{"status":"ok"}', Severity.OK, f"people reach it at {HTTPS}"),
        (None, Severity.OK, "does not run at"),
        (b"<html>", Severity.WARNING, "another program"),
    ],
)
async def test_portal_is_asked_at_its_own_address(
    made: Settings, look: Any, body: bytes | None, severity: Severity, said: str
) -> None:
    listener = Listener(body)
    settings = with_portal(made, proxies=("127.0.0.0/8",), public_url=HTTPS)
    [found] = await look("portal", settings=settings, daemon=listener)
    assert found.severity is severity
    assert said in found.message
    assert listener.asked == ["http://127.0.0.1:8485/healthz"]


async def test_portal_behind_a_proxy_that_is_not_trusted_takes_all_people_for_one(made: Settings, look: Any) -> None:
    first, _ = await look("portal", settings=with_portal(made, public_url=HTTPS), daemon=Listener())
    assert first.severity is Severity.WARNING
    assert "server.trusted_proxies" in first.remedy


async def test_portal_that_other_machines_reach_without_tls_is_reported(made: Settings, look: Any) -> None:
    settings = with_portal(made, proxies=("10.0.0.0/8",), public_url=HTTPS, host="0.0.0.0")
    first, _ = await look("portal", settings=settings, daemon=Listener())
    assert first.severity is Severity.WARNING
    assert "without TLS" in first.message


async def test_portal_with_tls_is_asked_by_it(made: Settings, look: Any, tmp_path: Path) -> None:
    listener = Listener()
    settings = with_portal(made, tls=tmp_path / "tls.pem", public_url=HTTPS, host="::")
    await look("portal", settings=settings, daemon=listener)
    assert listener.asked == ["https://[::1]:8485/healthz"]

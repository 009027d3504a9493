from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

import pytest
from support.listener import Listener

from softix_proxy import assembly
from softix_proxy.doctor import payments
from softix_proxy.doctor.findings import Severity
from softix_proxy.operations.ledger import payment_keys
from softix_proxy.settings import Settings


def switched_on(made: Settings) -> Settings:
    return replace(made, payments=replace(made.payments, enabled=True), portal=replace(made.portal, enabled=True))


async def store(settings: Settings, mode: str, *, webhook: bool) -> None:
    async with assembly.open_instance(settings) as opened:
        await payment_keys.store(
            opened.storage,
            await opened.vault(),
            secret_key=f"sk_{mode}_{secrets.token_hex(16)}",
            webhook_secret=f"whsec_{secrets.token_hex(16)}" if webhook else None,
        )


async def test_instance_without_payments_has_nothing_to_check(made: Settings, look: Any) -> None:
    [found] = await look("payments")
    assert (found.severity, found.message) == (Severity.OK, "payments are off")


async def test_payments_without_a_key_name_the_command_that_stores_one(made: Settings, look: Any) -> None:
    [found] = await look("payments", settings=switched_on(made))
    assert (found.severity, found.remedy) == (Severity.ERROR, "softix payments setup")


@pytest.mark.parametrize(
    ("mode", "webhook", "severities"),
    [
        ("live", True, [Severity.OK]),
        ("live", False, [Severity.OK, Severity.WARNING]),
        ("test", True, [Severity.WARNING]),
    ],
)
async def test_mode_and_webhook_of_payments_are_told(
    made: Settings, look: Any, mode: str, webhook: bool, severities: list[Severity]
) -> None:
    await store(made, mode, webhook=webhook)
    assert [one.severity for one in await look("payments", settings=switched_on(made))] == severities


async def test_payments_without_the_sdk_the_portal_or_the_same_address_are_reported(
    made: Settings, look: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store(made, "live", webhook=True)
    monkeypatch.setattr(payments, "find_spec", lambda name: None)
    on = switched_on(made)
    other = replace(on, payments=replace(on.payments, api_base="https://other.example.org"), portal=made.portal)
    found = await look("payments", settings=other)
    assert [one.severity for one in found] == [Severity.ERROR, Severity.WARNING, Severity.ERROR]
    assert "another address" in found[-1].message


async def test_portal_of_another_process_is_asked_at_its_address_before_anything_is_said(
    made: Settings, look: Any
) -> None:
    await store(made, "live", webhook=True)
    settings = replace(switched_on(made), portal=made.portal)
    for body, severities in (
        (b'{"status":"ok"}', [Severity.OK]),
        (b"<html>", [Severity.WARNING, Severity.OK]),
        (None, [Severity.WARNING, Severity.OK]),
    ):
        listener = Listener(body)
        found = await look("payments", settings=settings, daemon=listener)
        assert [one.severity for one in found] == severities
        assert listener.asked == ["http://127.0.0.1:8485/healthz"]
    assert "no portal answers at http://127.0.0.1:8485" in found[0].message and "softix portal" in found[0].remedy

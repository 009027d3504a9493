from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from softix_proxy import assembly
from softix_proxy.doctor.findings import Severity
from softix_proxy.domain.notices.webhook_events import EventKind
from softix_proxy.domain.notices.webhooks import EndpointStatus, WebhookEndpoint
from softix_proxy.operations.notices import webhook_events
from softix_proxy.settings import Settings

ENDPOINT = WebhookEndpoint(
    id=0,
    public_id="whk_a",
    url="https://example.org/softix",
    kinds=(),
    user_id=None,
    status=EndpointStatus.ENABLED,
    allow_private=False,
    sealed_secret=b"sealed",
    sealed_old_secret=None,
    old_secret_until_us=None,
    failing_since_us=None,
    created_at_us=1,
)


async def add(settings: Settings, endpoint: WebhookEndpoint, *, is_late: bool = False) -> None:
    async with assembly.open_instance(settings) as opened:
        async with opened.storage.writing() as unit:
            await unit.webhooks.add(endpoint)
            if is_late:
                assert await webhook_events.enqueue(unit, EventKind.PERIOD_CLOSED, {})
        connection = opened.database.connect()
        connection.execute("UPDATE webhook_deliveries SET next_at_us = 1")
        connection.close()


async def test_webhooks_check_without_an_endpoint_is_well(made: Settings, look: Any) -> None:
    [found] = await look("webhooks", settings=made)
    assert (found.severity, found.message) == (Severity.OK, "events arrive at 0 endpoints")


@pytest.mark.parametrize(
    ("endpoint", "severity", "told", "remedy"),
    [
        (ENDPOINT, Severity.OK, "events arrive at 1 endpoint", ""),
        (replace(ENDPOINT, status=EndpointStatus.DISABLED), Severity.OK, "events arrive at 1 endpoint", ""),
        (replace(ENDPOINT, failing_since_us=10**15), Severity.ERROR, "failing since 2001", "webhooks show whk_a"),
        (replace(ENDPOINT, status=EndpointStatus.GONE), Severity.WARNING, "answered 410", "webhooks enable whk_a"),
    ],
)
async def test_webhooks_check_says_which_endpoint_fails(
    made: Settings, look: Any, endpoint: WebhookEndpoint, severity: Severity, told: str, remedy: str
) -> None:
    await add(made, endpoint)
    [found] = await look("webhooks", settings=made)
    assert (found.severity, told in found.message, remedy in found.remedy) == (severity, True, True)


async def test_webhooks_check_says_that_nobody_sends_events(made: Settings, look: Any) -> None:
    await add(made, ENDPOINT, is_late=True)
    [found] = await look("webhooks", settings=made)
    assert found.severity is Severity.WARNING and found.message.startswith("1 event waits for more than ten minutes")

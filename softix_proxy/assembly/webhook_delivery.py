"""Wires what delivers events to endpoints. Nothing of it is imported before there is an endpoint."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from softix_proxy.assembly.instance import Instance
    from softix_proxy.domain.notices.delivery_tally import DeliveryTally
    from softix_proxy.domain.ports.storage import Storage
    from softix_proxy.domain.ports.vault import Vault
    from softix_proxy.domain.ports.webhook_post import WebhookPost
    from softix_proxy.jobs.webhooks import WebhookJob
    from softix_proxy.settings import Settings

log = logging.getLogger("softix.jobs")
_POLL_S = 2
_STOP_S = 5
"""How long what is being sent may take to end when softix stops."""


def webhook_post(settings: Settings) -> WebhookPost:
    """Returns the way to receivers. Raises FailureError if the file of certificate authorities is unusable."""
    from softix_proxy.upstream.webhook_client import HttpWebhookPost

    return HttpWebhookPost(settings.upstream.ca_file)


@asynccontextmanager
async def delivering(instance: Instance, vault: Vault, tally: DeliveryTally) -> AsyncIterator[None]:
    """Delivers events, and looks for what endpoints are to be told, until the block ends."""
    stop = asyncio.Event()
    delivers = asyncio.create_task(_deliver(instance, vault, tally, stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait([delivers], timeout=_STOP_S)
        delivers.cancel()
        await asyncio.wait([delivers])


async def _deliver(instance: Instance, vault: Vault, tally: DeliveryTally, stop: asyncio.Event) -> None:
    """Waits for the first endpoint, and delivers from then on."""
    while not stop.is_set() and not await _has_endpoint(instance.storage):
        with suppress(TimeoutError):
            async with asyncio.timeout(_POLL_S):
                await stop.wait()
    if stop.is_set():
        return
    from softix_proxy.assembly.mailing import default_threshold_pico
    from softix_proxy.jobs import event_conditions

    job = _job(instance, vault, tally)
    async with asyncio.TaskGroup() as group:
        looks = group.create_task(event_conditions.watch(instance.storage, default_threshold_pico(instance.settings)))
        runs = group.create_task(job.run())
        await stop.wait()
        looks.cancel()
        job.stop()
        await runs


async def _has_endpoint(storage: Storage) -> bool:
    try:
        return await storage.reading().webhooks.any_enabled()
    except Exception as error:  # noqa: BLE001 - the daemon that serves requests must not end because of events
        log.warning("could not look for endpoints", extra={"error": type(error).__name__})
        return False


def _job(instance: Instance, vault: Vault, tally: DeliveryTally) -> WebhookJob:
    import random

    from softix_proxy.domain.core.clock import SECOND_US
    from softix_proxy.jobs.webhooks import DeliveryPolicy, WebhookJob
    from softix_proxy.upstream.webhook_client import TIMEOUT_S

    policy = DeliveryPolicy(lease_us=int(TIMEOUT_S * 2 + 30) * SECOND_US)
    return WebhookJob(instance.storage, vault, webhook_post(instance.settings), policy, tally, random.randrange)

"""Checks whether events arrive: endpoints that fail or want no more, and events that wait too long."""

from __future__ import annotations

from collections.abc import AsyncIterator

from softix_proxy.doctor.check_context import CheckContext
from softix_proxy.doctor.findings import Observation, error, ok, warning
from softix_proxy.domain.core.clock import SECOND_US, format_instant
from softix_proxy.domain.notices.webhooks import EndpointStatus

_LATE_US = 600 * SECOND_US


async def find(context: CheckContext) -> AsyncIterator[Observation]:
    """Yields what is wrong with endpoints, or that nothing is."""
    store, is_well = context.storage.reading().webhooks, True
    endpoints = await store.list()
    for endpoint in endpoints:
        if endpoint.condition == "failing":
            is_well = False
            yield error(
                f"the endpoint {endpoint.public_id} is failing since {format_instant(endpoint.failing_since_us)}",
                f"see why: softix webhooks show {endpoint.public_id}; then: softix webhooks replay --since DATE",
            )
        elif endpoint.status is EndpointStatus.GONE:
            is_well = False
            yield warning(
                f"the endpoint {endpoint.public_id} answered 410, so it is told nothing any more",
                f"softix webhooks enable {endpoint.public_id}, or: softix webhooks remove {endpoint.public_id} --yes",
            )
    overdue = await store.overdue(context.clock.now_us() - _LATE_US)
    if overdue:
        yield warning(
            f"{overdue} event{'s wait' if overdue > 1 else ' waits'} for more than ten minutes to be sent",
            "run softix serve, which sends them",
        )
    elif is_well:
        yield ok(f"events arrive at {len(endpoints)} endpoint{'' if len(endpoints) == 1 else 's'}")

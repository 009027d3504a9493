"""Checks whether the daemon that runs here reports that it can serve."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

from softix_proxy.doctor.check_context import CheckContext
from softix_proxy.doctor.findings import Observation, error, ok, warning
from softix_proxy.domain.core.errors import FailureError


async def find(context: CheckContext) -> AsyncIterator[Observation]:
    """Asks the daemon at its own address, and compares its settings for metrics."""
    server = context.settings.server
    if server.metrics_are_unreachable:
        yield warning(
            "server.metrics_networks names other machines, which cannot read /metrics at server.port",
            "set server.metrics_port and server.metrics_host, and have Prometheus scrape that address",
        )
    url = server.local_url
    try:
        answer = await context.daemon(f"{url}/readyz", {}, None)
    except FailureError:
        hidden = ", or answers only clients with a certificate" if server.tls_client_ca else ""
        yield ok(f"softix serve does not run at {url}{hidden}")
        return
    told = _told(answer.body)
    if told.get("status") == "ready":
        yield ok(f"softix serve is ready at {url}")
    elif told.get("status") != "not ready":
        yield warning(f"another program answers at {url}", "give softix serve another port (server.port)")
    elif "remedy" in told:
        since = f" (since {told['since']})" if "since" in told else ""
        yield error(f"softix serve at {url} refuses requests: {told.get('reason')}{since}", str(told["remedy"]))
    else:
        yield warning(f"softix serve at {url} refuses requests: {told.get('reason')}", "wait until it has stopped")


def _told(body: bytes) -> dict[str, object]:
    try:
        told = json.loads(body)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}

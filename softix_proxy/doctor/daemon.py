"""Checks whether the daemon that runs here reports that it can serve."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

from softix_proxy.doctor.check_context import CheckContext
from softix_proxy.doctor.findings import Observation, error, ok, warning
from softix_proxy.domain.core.errors import FailureError

_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - listening everywhere includes here


async def find(context: CheckContext) -> AsyncIterator[Observation]:
    """Asks the daemon whether it is ready, and yields its answer."""
    server = context.settings.server
    host = _ANY.get(server.host, server.host)
    scheme = "https" if server.tls_cert else "http"
    url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{server.port}"
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

"""The whole URL table. Paths stand without `/v1`: base URLs are often one off, so any number of them is taken."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from softix_proxy.dialects.base import Endpoint
from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.web import facts, health
from softix_proxy.web.visit import Answer, Visit

Handler = Callable[[Visit], Awaitable[Answer]]

INFERENCE: Mapping[str, Endpoint] = {endpoint.path.removeprefix("/v1"): endpoint for endpoint in ENDPOINTS.values()}
"""POST; each leaves one usage row."""

PAGES: Mapping[str, Handler] = {
    "/": health.root,
    "/api/hello": health.root,
    "/healthz": health.healthz,
    "/readyz": health.readyz,
    "/metrics": health.metrics,
    "/models": facts.models,
    "/key": facts.key,
}
"""GET and HEAD."""

NAMED: Mapping[str, Handler] = {"/models/": facts.model, "/usage/": facts.usage}
"""GET; the rest of the path is a name."""


def canonical(path: str) -> str:
    """`/v1/v1/messages/` → `/messages`."""
    while path.startswith("/v1/") or path == "/v1":
        path = path[3:]
    return path.rstrip("/") or "/"

"""The whole URL table. Paths stand without the version: base URLs are often one off, so any number of them is taken."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import unquote

from softix_proxy.dialects.base import Endpoint
from softix_proxy.dialects.gemini import GeminiEndpoint
from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.web import facts, health
from softix_proxy.web.visit import Answer, Visit

Handler = Callable[[Visit], Awaitable[Answer]]

_VERSION = re.compile(r"(?:/v1(?:beta|alpha)?(?=/|$))*")

INFERENCE: Mapping[str, Endpoint] = {_VERSION.sub("", endpoint.path, 1): endpoint for endpoint in ENDPOINTS.values()}
"""POST; each leaves one usage row. `{model}` stands for the name of a model."""

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

_MODELS = "/models/"
NAMED: Mapping[str, Handler] = {_MODELS: facts.model, "/usage/": facts.usage}
"""GET; the rest of the path is a name."""


def canonical(path: str) -> str:
    """`/v1/v1/messages/` → `/messages`."""
    found = _VERSION.match(path)
    return (path[found.end() :] if found else path).rstrip("/") or "/"


def inference(path: str, query: str) -> Endpoint | None:
    """The endpoint of a canonical path, for the model that it names, if any.

    Raises RefusedError for a query that the endpoint cannot have.
    """
    endpoint = INFERENCE.get(path)
    if endpoint is not None or not path.startswith(_MODELS):
        return endpoint
    name, _, verb = unquote(path[len(_MODELS) :]).rpartition(":")
    found = INFERENCE.get(f"{_MODELS}{{model}}:{verb}")
    return found.of(name, query) if isinstance(found, GeminiEndpoint) else None

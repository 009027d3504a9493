"""The whole URL table. Paths stand without the version: base URLs are often one off, so any number of them is taken."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import unquote

from softix_proxy.dialects.base import Endpoint, Family
from softix_proxy.dialects.gemini import GeminiEndpoint
from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.web import facts, health
from softix_proxy.web.visit import Answer, Visit

Handler = Callable[[Visit], Awaitable[Answer]]

_SHARED = "is kept at the provider, where all users of softix share one account, so it is not passed."
UNMETERED: Mapping[str, str] = {
    "/files": f"A file of Anthropic's {_SHARED} Send what it holds within the request.",
    "/uploads": f"A file {_SHARED} Send what it holds within the request.",
    "/upload": f"A file {_SHARED} Send what it holds within the request.",
    "/cachedContents": f"A cache {_SHARED} What is sent again is cached without it.",
    "/vector_stores": f"A store {_SHARED}",
    "/fileSearchStores": f"A store {_SHARED}",
    "/containers": f"A container {_SHARED}",
    "/conversations": f"A conversation {_SHARED} Send the turns that came before.",
    "/interactions": f"A conversation {_SHARED} Send the turns that came before.",
    "/responses/": f"A response {_SHARED} What is needed of it stands in its own answer.",
    "/chat/completions/": f"A completion {_SHARED} What is needed of it stands in its own answer.",
    "/assistants": f"An assistant {_SHARED}",
    "/threads": f"A thread {_SHARED}",
    "/skills": f"A skill {_SHARED}",
    "/fine_tuning": "Training cannot be metered here.",
    "/tunedModels": "Training cannot be metered here.",
    "/evals": "Evaluations cannot be metered here.",
    "/videos": "Videos cannot be metered here, since they are fetched later.",
    "/operations": "What runs in the background cannot be metered here.",
    "/realtime": "A realtime session is opened with GET and a WebSocket.",
    "/realtime/": "A session over WebRTC or SIP goes past softix, which cannot meter it. Open a WebSocket.",
    "/organization": "The account at the provider is the operator's.",
    "/organizations": "The account at the provider is the operator's.",
}
"""What providers' SDKs can call besides, and why it is refused; a path that begins so, whatever the method."""
KEPT = ("/files", "/batches", "/messages/batches")
"""What is kept at a provider, and known here by whose it is."""
_READS = ("GET", "HEAD", "OPTIONS")
BASE_URLS = "Base URLs end in /v1, or for Anthropic and Google before."
NOT_METERED = f"softix cannot meter this endpoint, so it is not passed. {BASE_URLS}"

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


def is_kept(path: str, family: Family) -> bool:
    """Anthropic's files are not: a request that names one would reach it whoever it belongs to."""
    if family == "anthropic" and path.startswith("/files"):
        return False
    return any(path == folder or path.startswith(f"{folder}/") for folder in KEPT)


def unmetered(path: str, method: str) -> str | None:
    """Why this path is not passed; None where it is nothing that a provider has."""
    for prefix, why in UNMETERED.items():
        if path == prefix or path.startswith(prefix if prefix.endswith("/") else f"{prefix}/"):
            return why
    return None if method in _READS else NOT_METERED


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

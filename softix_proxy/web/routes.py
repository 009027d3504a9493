"""The whole URL table. Paths stand without the version: base URLs are often one off, so any number of them is taken."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from softix_proxy.dialects.core.base import Endpoint, Family
from softix_proxy.dialects.gemini.endpoint import GeminiEndpoint
from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.web import facts, health, paths, sockets
from softix_proxy.web.visit import Answer, Visit

Handler = Callable[[Visit], Awaitable[Answer]]

KEPT = ("/files", "/batches", "/messages/batches")
"""What is kept at a provider, and known here by whose it is."""

INFERENCE: Mapping[str, Endpoint] = {paths.read(endpoint.path).path: endpoint for endpoint in ENDPOINTS.values()}
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


class Place(NamedTuple):
    """What a path means here."""

    path: str
    """As the tables above have it, with whatever names come after."""
    family: Family | None = None
    """Whose dialect it tells by itself; None where it tells none."""
    deployment: str = ""
    """The model that stands in the path as at Azure, whatever the body says; empty where none does."""
    of_azure: bool = False
    """It was written for Azure, whose version stands in the query."""


_TABLES = frozenset((*INFERENCE, *PAGES, sockets.PATH))
_FOLDERS = (*NAMED, *(f"{folder}/" for folder in KEPT))
_DEPLOYMENTS = "/deployments/"
_DEPLOYED = sorted(
    (path for path, endpoint in INFERENCE.items() if endpoint.family == "openai" and "{" not in path),
    key=len,
    reverse=True,
)
_AZURES = ("api-version", "deployment")


def locate(raw_path: str) -> Place:
    """`/openai/v1//Chat/completions/` → `/chat/completions`."""
    usual = _USUAL.get(raw_path)
    if usual is not None:
        return usual
    if raw_path.startswith(_GOOGLES) and not any(odd in raw_path for odd in _ODD):
        return Place(raw_path[len(_GOOGLES) - len(_MODELS) :].rstrip("/"), "gemini")
    return _read(raw_path)


def _read(raw_path: str) -> Place:
    written = paths.read(raw_path)
    path = written.path
    if path.startswith(_DEPLOYMENTS):
        plain = path.lower()
        end = next((end for end in _DEPLOYED if plain.endswith(end)), "")
        name = path[len(_DEPLOYMENTS) : -len(end)] if end else ""
        if name:
            return Place(end, "openai", name, of_azure=True)
    return Place(_as_listed(path), written.family, of_azure=written.fronted)


def _as_listed(path: str) -> str:
    """In the tables' own letters where only the case is another; names are left as they are."""
    if path in _TABLES or not path.isascii():
        return path
    plain = path.lower()
    if plain in _TABLES or any(plain == folder[:-1] for folder in _FOLDERS):
        return plain
    folder = max((folder for folder in _FOLDERS if plain.startswith(folder)), key=len, default="")
    return folder + path[len(folder) :]


_GOOGLES = f"/v1beta{_MODELS}"
_ODD = ("%", "//", "/.")
"""With one of these, a path has to be taken apart."""
_USUAL: Mapping[str, Place] = {
    f"{base}{path}": _read(f"{base}{path}") for path in INFERENCE for base in ("", "/v1", "/openai/v1")
}
"""What nearly every request has, found without taking it apart."""


def without_azures(query: str) -> str:
    """What is left of a query that was written for Azure once the address is understood."""
    return "&".join(part for part in query.split("&") if part.partition("=")[0] not in _AZURES)


def canonical(path: str) -> str:
    """`/v1/v1/messages/` → `/messages`."""
    return locate(path).path


def is_kept(path: str, family: Family) -> bool:
    """Anthropic's files are not: a request that names one would reach it whoever it belongs to."""
    if family == "anthropic" and path.startswith("/files"):
        return False
    return any(path == folder or path.startswith(f"{folder}/") for folder in KEPT)


def inference(path: str, query: str) -> Endpoint | None:
    """The endpoint of a canonical path, for the model that it names, if any.

    Raises RefusedError for a query that the endpoint cannot have.
    """
    endpoint = INFERENCE.get(path)
    if endpoint is not None or not path.startswith(_MODELS):
        return endpoint
    name, _, verb = path[len(_MODELS) :].rpartition(":")
    found = _VERBS.get(verb.lower())
    return found.of(name, query) if found is not None and name else None


_VERBS: Mapping[str, GeminiEndpoint] = {
    endpoint.path.rpartition(":")[2].lower(): endpoint
    for endpoint in INFERENCE.values()
    if isinstance(endpoint, GeminiEndpoint)
}

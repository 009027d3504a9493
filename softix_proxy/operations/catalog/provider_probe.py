"""Probes a provider by one GET of its list of models: whether it responds, accepts the key, and which models it has."""

from __future__ import annotations

from dataclasses import dataclass, replace

from softix_proxy.dialects.core.model_list import read_names
from softix_proxy.dialects.registry import HEADERS
from softix_proxy.domain.catalog.credentials import AwsKeys, parse
from softix_proxy.domain.catalog.models import NAME
from softix_proxy.domain.catalog.profiles import PROFILES, path_behind_version
from softix_proxy.domain.catalog.provider_types import ProviderType
from softix_proxy.domain.catalog.providers import Provider
from softix_proxy.domain.core.clock import Clock
from softix_proxy.domain.core.errors import BadInputError, ConflictError, FailureError
from softix_proxy.domain.ports.storage import Storage
from softix_proxy.domain.ports.upstream import Fetch, Fetched
from softix_proxy.domain.ports.vault import Vault
from softix_proxy.operations.catalog import providers
from softix_proxy.operations.catalog.base_urls import BaseUrl, read_base_url
from softix_proxy.operations.catalog.catalogue import CatalogueModel

_LOCAL = "http://127.0.0.1"
_GOOD = range(200, 300)
_FREE = '{"free":true}'


@dataclass(frozen=True, slots=True)
class ProviderProbe:
    """The result of one request for the list of models."""

    ok: bool
    status: int | None
    """None if no response came."""
    latency_ms: int
    message: str
    remedy: str = ""
    models: tuple[str, ...] = ()
    """The models as the provider names them."""
    url: str = ""
    """The requested URL. It is made from the operator's base URL and has no credentials."""
    is_list: bool = False
    """Whether the response is a list of models, even an empty one."""
    is_elsewhere: bool = False
    """Whether the list is at the URL without the version that softix inserts."""


_REMEDIES = {
    400: ("the provider does not accept the key", "softix providers set-key {name}"),  # Google uses this status
    401: ("the provider does not accept the key", "softix providers set-key {name}"),
    403: ("the key may not list models", "check its rights at the provider, or: softix providers set-key {name}"),
    404: ("nothing is there", "check the base URL: softix providers update {name} --base-url URL"),
    429: ("the provider is reached, and limits this key", "wait, or raise the limit at the provider"),
}


async def probe(storage: Storage, vault: Vault, reference: str, fetch: Fetch) -> ProviderProbe:
    """Requests the provider's models once, and keeps their names.

    Raises ConflictError for the demo provider, and for a provider that has no list.
    """
    reading = storage.reading()
    provider = await providers.present(reading, reference)
    if not provider.base_url:
        raise ConflictError("the demo provider runs inside the daemon", "run: softix quickstart --check")
    if not provider.profile.models_path:
        raise ConflictError(f"{provider.name} has no list of models", f"try: softix providers test {provider.name}")
    key = None
    if provider.keys:
        first = provider.keys[0]
        key = vault.open_secret(first.sealed, *provider.place_of(first))
    here = BaseUrl(provider.base_url, provider.version_in_url)
    found = await _ask(provider, here, key, fetch, reading.clock)
    if (
        found.is_list
        or found.status in _LEAVES_NO_DOUBT
        or here.has_version
        or not provider.profile.versioned_base_urls
    ):
        return found
    other = await _ask(provider, here._replace(has_version=True), key, fetch, reading.clock)
    if not other.is_list:
        return found
    return replace(
        other,
        ok=False,
        message=f"its models are listed at {other.url}, and not at {found.url}",
        remedy=f"softix providers update {provider.name} --base-url {provider.base_url}/chat/completions",
        is_elsewhere=True,
    )


_LEAVES_NO_DOUBT = frozenset((None, 401, 403, 429, *range(500, 600)))
"""The statuses after which no second URL is tried, because they leave no doubt about the first one."""


async def _ask(provider: Provider, base: BaseUrl, key: str | None, fetch: Fetch, clock: Clock) -> ProviderProbe:
    url, started_ns = _list_url(provider.type, base), clock.monotonic_ns()
    try:
        status, body = await _fetch(provider.type, base, key, fetch)
    except FailureError as error:
        took_ms = (clock.monotonic_ns() - started_ns) // 1_000_000
        return ProviderProbe(False, None, took_ms, error.message, error.remedy, url=url)
    latency_ms = (clock.monotonic_ns() - started_ns) // 1_000_000
    if status in _GOOD:
        names = read_names(body)
        return ProviderProbe(
            True, status, latency_ms, "the provider answers", models=names or (), url=url, is_list=names is not None
        )
    other = (
        ("the provider is in trouble", "try again later")
        if status >= 500
        else ("this is not a provider's answer", "check the base URL: softix providers update {name} --base-url URL")
    )
    message, remedy = _REMEDIES.get(status, other)
    return ProviderProbe(False, status, latency_ms, message, remedy.format(name=provider.name), url=url)


async def settle(
    storage: Storage, vault: Vault, reference: str, fetch: Fetch, *, is_settled: bool
) -> ProviderProbe | None:
    """Probes a provider that was added or moved. If its base URL left a doubt, the form that works is stored.

    Returns None if there is nothing to request.
    """
    provider = await providers.present(storage.reading(), reference)
    if not (provider.base_url and provider.profile.models_path):
        return None
    probed = await probe(storage, vault, reference, fetch)
    if probed.is_elsewhere and not is_settled:
        await providers.update(storage, vault, reference, version_in_url=True)
        return replace(probed, ok=True, message="the provider answers", remedy="", is_elsewhere=False)
    return probed


def _list_url(kind: ProviderType, base: BaseUrl) -> str:
    path = PROFILES[kind].models_path
    return base.text + (path_behind_version(path) if base.has_version else path)


async def _fetch(kind: ProviderType, base: BaseUrl, key: str | None, fetch: Fetch) -> Fetched:
    profile, url = PROFILES[kind], _list_url(kind, base)
    headers = {name: value for endpoint in profile.endpoints for name, value in HEADERS.get(endpoint, ())}
    credential = None if key is None else parse(key)
    if isinstance(credential, AwsKeys):
        raise FailureError("a list of models is not asked for with AWS keys", "see: softix models list")
    if isinstance(credential, str):
        return await fetch(url, headers | profile.auth_headers(credential), None)
    return await fetch(url, headers, credential)


@dataclass(frozen=True, slots=True)
class DiscoveredServer:
    """A server that lists models."""

    base: BaseUrl
    models: tuple[str, ...]


async def find_local(kind: ProviderType, key: str | None, fetch: Fetch) -> DiscoveredServer:
    """Finds a server on this machine at one of the type's usual ports.

    Raises FailureError that names the tried ports.
    """
    tried = []
    for port in PROFILES[kind].ports:
        base_url = f"{_LOCAL}:{port}"
        try:
            return await _look(kind, BaseUrl(base_url), key, fetch)
        except FailureError as error:
            tried.append(f"{base_url}: {error.message}")
    raise FailureError(
        f"no {kind.value} on this machine ({'; '.join(tried)})", "start it, or say where it is with --base-url"
    )


async def look(kind: ProviderType, base_url: str, key: str | None, fetch: Fetch) -> DiscoveredServer:
    """Returns the models of the server at this address. Raises FailureError, BadInputError."""
    base = read_base_url(base_url, kind)
    try:
        return await _look(kind, base, key, fetch)
    except NoListError:
        if base.is_settled:
            raise
        return await _look(kind, base._replace(has_version=True), key, fetch)


class NoListError(FailureError):
    """A server responds at the address, but not with a list of models."""


async def _look(kind: ProviderType, base: BaseUrl, key: str | None, fetch: Fetch) -> DiscoveredServer:
    status, body = await _fetch(kind, base, key, fetch)
    if status in (401, 403):
        raise FailureError("it asks for a key", "give --key-stdin, --key-env or --key-file")
    names = read_names(body) if status in _GOOD else None
    if names is None:
        raise NoListError("what answers there lists no models", "check the base URL")
    return DiscoveredServer(base, names)


def chosen(
    kind: ProviderType, known: tuple[str, ...], wanted: tuple[str, ...], *, free: bool
) -> tuple[CatalogueModel, ...]:
    """Returns the wanted models, or all if none are named, with the server's names. They are free or have no price.

    Raises BadInputError for a model that the server does not have.
    """
    missing = [name for name in wanted if known and name not in known]
    if missing:
        raise BadInputError(f"no model {missing[0]!r} there", f"it has: {', '.join(known)}")
    names = [name for name in wanted or known if NAME.fullmatch(name)]
    return tuple(CatalogueModel(kind.value, name, None, None, _FREE if free else "") for name in names)

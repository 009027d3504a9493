"""What one GET of a provider's list of models shows: whether it answers, takes the key, and what it has."""

from __future__ import annotations

from dataclasses import dataclass

from softix_proxy.dialects.model_list import read_names
from softix_proxy.dialects.registry import HEADERS
from softix_proxy.domain.credentials import AwsKeys, parse
from softix_proxy.domain.errors import BadInputError, ConflictError, FailureError
from softix_proxy.domain.models import NAME
from softix_proxy.domain.ports import Storage
from softix_proxy.domain.profiles import PROFILES, ProviderType
from softix_proxy.domain.upstream import Fetch, Fetched
from softix_proxy.domain.vault import Vault
from softix_proxy.operations import providers
from softix_proxy.operations.catalogue import CatalogueModel

_LOCAL = "http://127.0.0.1"
_GOOD = range(200, 300)
_FREE = '{"free":true}'


@dataclass(frozen=True, slots=True)
class Probe:
    """What one request for the list of models showed."""

    ok: bool
    status: int | None
    """None where no answer came."""
    latency_ms: int
    message: str
    remedy: str = ""
    models: tuple[str, ...] = ()
    """As the provider names them."""


_REMEDIES = {
    400: ("the provider does not accept the key", "softix providers set-key {name}"),  # Google's word for it
    401: ("the provider does not accept the key", "softix providers set-key {name}"),
    403: ("the key may not list models", "check its rights at the provider, or: softix providers set-key {name}"),
    404: ("nothing is there", "check the base URL: softix providers update {name} --base-url URL"),
    429: ("the provider is reached, and limits this key", "wait, or raise the limit at the provider"),
}


async def probe(storage: Storage, vault: Vault, reference: str, fetch: Fetch) -> Probe:
    """Asks the provider for its models, once, and keeps their names.

    Raises ConflictError for the demo, and for who has no list to ask for.
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
    clock = reading.clock
    started_ns = clock.monotonic_ns()
    try:
        status, body = await _fetch(provider.type, provider.base_url, key, fetch)
    except FailureError as error:
        return Probe(False, None, (clock.monotonic_ns() - started_ns) // 1_000_000, error.message, error.remedy)
    latency_ms = (clock.monotonic_ns() - started_ns) // 1_000_000
    if status in _GOOD:
        return Probe(True, status, latency_ms, "the provider answers", models=read_names(body) or ())
    other = (
        ("the provider is in trouble", "try again later")
        if status >= 500
        else ("this is not a provider's answer", "check the base URL: softix providers update {name} --base-url URL")
    )
    message, remedy = _REMEDIES.get(status, other)
    return Probe(False, status, latency_ms, message, remedy.format(name=provider.name))


async def _fetch(kind: ProviderType, base_url: str, key: str | None, fetch: Fetch) -> Fetched:
    profile = PROFILES[kind]
    headers = {name: value for endpoint in profile.endpoints for name, value in HEADERS.get(endpoint, ())}
    credential = None if key is None else parse(key)
    if isinstance(credential, AwsKeys):
        raise FailureError("a list of models is not asked for with AWS keys", "see: softix models list")
    if isinstance(credential, str):
        return await fetch(f"{base_url}{profile.models_path}", headers | profile.auth_headers(credential), None)
    return await fetch(f"{base_url}{profile.models_path}", headers, credential)


@dataclass(frozen=True, slots=True)
class Found:
    """A server that lists models."""

    base_url: str
    models: tuple[str, ...]


async def find_local(kind: ProviderType, key: str | None, fetch: Fetch) -> Found:
    """A server on this machine, at one of the type's usual ports. Raises FailureError that names what was tried."""
    tried = []
    for port in PROFILES[kind].ports:
        base_url = f"{_LOCAL}:{port}"
        try:
            return await look(kind, base_url, key, fetch)
        except FailureError as error:
            tried.append(f"{base_url}: {error.message}")
    raise FailureError(
        f"no {kind.value} on this machine ({'; '.join(tried)})", "start it, or say where it is with --base-url"
    )


async def look(kind: ProviderType, base_url: str, key: str | None, fetch: Fetch) -> Found:
    """What the server at this address has. Raises FailureError, BadInputError."""
    base_url = providers.normalise_base_url(base_url)
    status, body = await _fetch(kind, base_url, key, fetch)
    if status in (401, 403):
        raise FailureError("it asks for a key", "give --key-stdin, --key-env or --key-file")
    names = read_names(body) if status in _GOOD else None
    if names is None:
        raise FailureError("what answers there lists no models", "check the base URL")
    return Found(base_url, names)


def chosen(
    kind: ProviderType, known: tuple[str, ...], wanted: tuple[str, ...], *, free: bool
) -> tuple[CatalogueModel, ...]:
    """Models to be added as they are named there, free or without a price: those wanted, or all.

    Raises BadInputError for one that is not there.
    """
    missing = [name for name in wanted if known and name not in known]
    if missing:
        raise BadInputError(f"no model {missing[0]!r} there", f"it has: {', '.join(known)}")
    names = [name for name in wanted or known if NAME.fullmatch(name)]
    return tuple(CatalogueModel(kind.value, name, None, None, _FREE if free else "") for name in names)

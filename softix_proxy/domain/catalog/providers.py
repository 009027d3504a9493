"""Where models run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from socket import inet_aton
from typing import Protocol
from urllib.parse import urlsplit

from softix_proxy.domain.catalog.profiles import PROFILES as PROFILES
from softix_proxy.domain.catalog.profiles import OnDisconnect as OnDisconnect
from softix_proxy.domain.catalog.profiles import Profile as Profile
from softix_proxy.domain.catalog.profiles import ProviderType as ProviderType
from softix_proxy.domain.catalog.profiles import path_behind_version


class ProviderStatus(StrEnum):
    ACTIVE = "active"
    DISABLED = "disabled"
    REMOVED = "removed"
    """Its key is gone; the row stays because usage refers to it."""


MAIN = "main"
"""The label of the key that a provider is added with."""


@dataclass(frozen=True, slots=True)
class ProviderKey:
    """One of the keys that requests take turns with."""

    public_id: str
    """The provider's own for the main key."""
    label: str
    sealed: bytes = field(repr=False)
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Provider:
    """Describes a provider as it is stored: where it is, and how its keys are sealed."""

    id: int
    public_id: str
    name: str
    type: ProviderType
    base_url: str
    """Scheme, host, port and any path before `/v1`, or before an endpoint's last words; no trailing slash."""
    sealed_key: bytes | None = field(repr=False)
    on_hang_up: OnDisconnect
    status: ProviderStatus
    created_at_us: int
    region: str | None = None
    """Where it works, in the operator's words; who is bound to regions is never sent to one without."""
    key_weight: int = 1
    """Of the main key."""
    more_keys: tuple[ProviderKey, ...] = ()
    version_in_url: bool = False
    """The base URL names the version itself, or its paths have none: the dialect's own is not put in."""
    drop_fields: tuple[str, ...] = ()
    """Members of bodies that it refuses, beside those of its type."""
    renamed_fields: Mapping[str, str] = field(init=False, repr=False, compare=False)
    """What it refuses of a body → its own name for it, or nothing where it is left out: of its type, and its own."""

    def __post_init__(self) -> None:
        renamed = {**PROFILES[self.type].fields, **dict.fromkeys(self.drop_fields, "")}
        object.__setattr__(self, "renamed_fields", renamed)

    def path(self, path: str) -> str:
        """Of the dialect → at this provider, to stand behind its base URL."""
        there = PROFILES[self.type].path(path)
        return path_behind_version(there) if self.version_in_url else there

    @property
    def profile(self) -> Profile:
        return PROFILES[self.type]

    @property
    def origin(self) -> str:
        """`scheme://host:port/path`: the place that the sealed key is bound to, so that it opens for no other."""
        return origin_of(self.base_url)

    @property
    def keys(self) -> tuple[ProviderKey, ...]:
        """The main one first; empty for a provider that needs none."""
        if self.sealed_key is None:
            return self.more_keys
        return (ProviderKey(self.public_id, MAIN, self.sealed_key, self.key_weight), *self.more_keys)

    @property
    def key_count(self) -> int:
        """At least one: who needs none has one way to ask."""
        return max(len(self.more_keys) + (self.sealed_key is not None), 1)

    def place_of(self, key: ProviderKey) -> tuple[str, ...]:
        """What a sealed key is bound to."""
        table = "providers" if key.label == MAIN else "provider_keys"
        return (table, key.public_id, "sealed_key", self.origin)

    def with_key(self, key: ProviderKey) -> Provider:
        """In place of the one with this label, or beside the others."""
        if key.label == MAIN:
            return replace(self, sealed_key=key.sealed, key_weight=key.weight)
        if any(other.label == key.label for other in self.more_keys):
            return replace(self, more_keys=tuple(key if o.label == key.label else o for o in self.more_keys))
        return replace(self, more_keys=(*self.more_keys, key))


def origin_of(base_url: str) -> str:
    """With the port spelled out, whether the URL names it or not; empty for an empty URL."""
    if not base_url:
        return ""
    url = urlsplit(base_url)
    host = f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname
    return f"{url.scheme}://{host}:{url.port or _PORTS[url.scheme]}{url.path or '/'}"


_PORTS = {"https": 443, "http": 80}
_METADATA = tuple(ip_network(network) for network in ("169.254.0.0/16", "fe80::/10", "fd00:ec2::/32"))
_METADATA_NAMES = frozenset({"metadata", "metadata.google.internal", "instance-data"})


def is_metadata_host(host: str) -> bool:
    """Whether this is where a cloud keeps its machines' secrets, or any other link-local address.

    Knows every spelling that the system's resolver takes for an address (`0xa9fea9fe`, `169.254.43518`).
    """
    address = _address(host.rstrip("."))
    if address is None:
        return host.rstrip(".").lower() in _METADATA_NAMES
    return any(address in network for network in _METADATA)


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(host if ":" in host else inet_aton(host))
    except (ValueError, OSError):
        return None
    return getattr(address, "ipv4_mapped", None) or address


class ProviderStore(Protocol):
    """Keeps providers and their sealed keys."""

    async def add(self, provider: Provider) -> Provider:
        """`provider.id` is ignored and given. Raises ConflictError if the name is taken."""
        ...

    async def find(self, reference: str) -> Provider | None:
        """By public id or name."""
        ...

    async def get(self, provider_id: int) -> Provider: ...

    async def list(self) -> Sequence[Provider]:
        """Removed ones too."""
        ...

    async def update(self, provider: Provider) -> None:
        """Writes every column but the id, and its keys. Raises ConflictError if the name is taken."""
        ...

"""The providers, where models run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Protocol
from urllib.parse import urlsplit

from softix_proxy.domain.catalog.profiles import PROFILES as PROFILES
from softix_proxy.domain.catalog.profiles import Profile as Profile
from softix_proxy.domain.catalog.profiles import path_behind_version
from softix_proxy.domain.catalog.provider_types import OnDisconnect as OnDisconnect
from softix_proxy.domain.catalog.provider_types import ProviderType as ProviderType
from softix_proxy.domain.catalog.unknown_members import UnknownMembersRule


class ProviderStatus(StrEnum):
    ACTIVE = "active"
    DISABLED = "disabled"
    REMOVED = "removed"
    """The provider's key is deleted. The row stays because usage refers to it."""


MAIN = "main"
"""The label of the key with which a provider is added."""


@dataclass(frozen=True, slots=True)
class ProviderKey:
    """One of the keys among which a provider's requests are distributed."""

    public_id: str
    """The public id. The main key has that of the provider."""
    label: str
    sealed: bytes = field(repr=False)
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider as it is stored: its address and its sealed keys."""

    id: int
    public_id: str
    name: str
    type: ProviderType
    base_url: str
    """The scheme, host, port and any path before `/v1`, or before an endpoint's last words.

    It has no slash at the end.
    """
    sealed_key: bytes | None = field(repr=False)
    on_hang_up: OnDisconnect
    status: ProviderStatus
    created_at_us: int
    region: str | None = None
    """The region where it works, in the operator's words.

    A user or key that is restricted to regions is never sent to a provider without one.
    """
    key_weight: int = 1
    """The weight of the main key."""
    more_keys: tuple[ProviderKey, ...] = ()
    version_in_url: bool = False
    """Whether the base URL contains the version, or the paths have none. Then the dialect's version is not added."""
    drop_fields: tuple[str, ...] = ()
    """The body fields that it refuses, beside those of its type."""
    unknown_members: UnknownMembersRule | None = None
    """Its own rule for members of unknown cost. None means the setting."""
    model_patterns: tuple[str, ...] = ()
    """The patterns of its models' names that the operator offers, as far as they have a price."""
    renamed_fields: Mapping[str, str] = field(init=False, repr=False, compare=False)
    """The body fields that it refuses → its own names for them, or an empty text if they are left out.

    They are those of its type and its own.
    """

    def __post_init__(self) -> None:
        renamed = {**PROFILES[self.type].fields, **dict.fromkeys(self.drop_fields, "")}
        object.__setattr__(self, "renamed_fields", renamed)

    def path(self, path: str) -> str:
        """Maps a path of the dialect to this provider's path, which follows its base URL."""
        there = PROFILES[self.type].path(path)
        return path_behind_version(there) if self.version_in_url else there

    @property
    def profile(self) -> Profile:
        return PROFILES[self.type]

    @property
    def origin(self) -> str:
        """The origin `scheme://host:port/path`. The sealed key is bound to it, so that it opens for no other."""
        return origin_of(self.base_url)

    @property
    def keys(self) -> tuple[ProviderKey, ...]:
        """The keys, with the main one first. It is empty for a provider that needs none."""
        if self.sealed_key is None:
            return self.more_keys
        return (ProviderKey(self.public_id, MAIN, self.sealed_key, self.key_weight), *self.more_keys)

    @property
    def key_count(self) -> int:
        """The number of keys, and at least 1: a provider without a key can still be called."""
        return max(len(self.more_keys) + (self.sealed_key is not None), 1)

    def place_of(self, key: ProviderKey) -> tuple[str, ...]:
        """Returns the place to which a sealed key is bound."""
        table = "providers" if key.label == MAIN else "provider_keys"
        return (table, key.public_id, "sealed_key", self.origin)

    def with_key(self, key: ProviderKey) -> Provider:
        """Returns the provider with this key, which replaces the one of the same label or is added."""
        if key.label == MAIN:
            return replace(self, sealed_key=key.sealed, key_weight=key.weight)
        if any(other.label == key.label for other in self.more_keys):
            return replace(self, more_keys=tuple(key if o.label == key.label else o for o in self.more_keys))
        return replace(self, more_keys=(*self.more_keys, key))


def origin_of(base_url: str) -> str:
    """Returns the origin, always with the port. It is empty for an empty URL."""
    if not base_url:
        return ""
    url = urlsplit(base_url)
    host = f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname
    return f"{url.scheme}://{host}:{url.port or _PORTS[url.scheme]}{url.path or '/'}"


_PORTS = {"https": 443, "http": 80}


class ProviderStore(Protocol):
    """Stores providers and their sealed keys."""

    async def add(self, provider: Provider) -> Provider:
        """Adds a provider. `provider.id` is ignored and assigned. Raises ConflictError if the name is taken."""
        ...

    async def find(self, reference: str) -> Provider | None:
        """Finds a provider by public id or name."""
        ...

    async def get(self, provider_id: int) -> Provider: ...

    async def list(self) -> Sequence[Provider]:
        """Returns all providers, including removed ones."""
        ...

    async def update(self, provider: Provider) -> None:
        """Writes every column but the id, and the keys. Raises ConflictError if the name is taken."""
        ...

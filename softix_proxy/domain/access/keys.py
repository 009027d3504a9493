"""The API keys: their users and their permissions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from ipaddress import ip_address, ip_network
from typing import NamedTuple, Protocol

from softix_proxy.domain.access.rights import model_patterns
from softix_proxy.domain.catalog.unknown_members import UnknownMembersRule
from softix_proxy.domain.core.clock import CapPeriod


class KeyStatus(StrEnum):
    ACTIVE = "active"
    REVOKED = "revoked"


class ModelRate(NamedTuple):
    """Limits a minute for the models of a pattern. None means no limit of that kind."""

    models: str
    rpm: int | None
    tpm: int | None


@dataclass(frozen=True, slots=True)
class KeyLimits:
    """The limits of a key. None means no limit of that kind."""

    rpm: int | None = None
    tpm: int | None = None
    concurrency: int | None = None
    cap_pico: int | None = None
    cap_period: CapPeriod = "total"
    model_rates: tuple[ModelRate, ...] = ()
    """The limits a minute beside those above, for patterns of models."""

    @property
    def of_forms(self) -> dict[str, int | str | None]:
        """The fields that a form has. Those for patterns of models have a form of their own."""
        names = ("rpm", "tpm", "concurrency", "cap_pico", "cap_period")
        return {name: getattr(self, name) for name in names}

    def for_models(self, named: Sequence[tuple[str, str]]) -> KeyLimits:
        """Returns the limits of a request that one of these may serve: pairs of a provider's and a model's name."""
        rates = self.model_rates
        kept = tuple(each for each in rates if any(model_patterns((each.models,)).match(*pair) for pair in named))
        return self if kept == rates else replace(self, model_rates=kept)


@dataclass(frozen=True, slots=True)
class Key:
    """An API key as it is stored: its digest, its user, and its limits."""

    id: int
    public_id: str
    user_id: int
    label: str
    prefix: str
    """The first letters of the key, by which people distinguish keys. They are not enough to use it."""
    digest: bytes
    models: tuple[str, ...]
    """The shell patterns over model names and `provider/model`: see `ModelPatterns`. Empty means every model."""
    allow_ip: tuple[str, ...]
    """The CIDR networks that the caller must be in. Empty means any."""
    limits: KeyLimits
    status: KeyStatus
    expires_at_us: int | None
    created_at_us: int
    regions: tuple[str, ...] = ()
    """The regions where its requests may be processed. Empty means the regions of its user."""
    earlier_models: tuple[str, ...] = ()
    """The patterns that a softix gave it in which the name of a model could name another provider, until they are set
    again.
    """
    unknown_members: UnknownMembersRule | None = None
    """Its own rule for members of unknown cost. None means that of the provider."""
    tags: tuple[str, ...] = ()
    """The tags of its usage, in the order of their names: see `domain.metering.usage_tags`."""
    end_users: bool = False
    """Whether the user whom a request names is kept with its usage, as a keyed digest."""

    def is_expired(self, now_us: int) -> bool:
        return self.expires_at_us is not None and self.expires_at_us <= now_us

    def allows_model(self, provider: str, model: str, route_name: str = "") -> bool:
        """Returns whether a pattern stands for the model at this provider, or for the route that leads to it."""
        if not self.models:
            return True
        patterns = model_patterns(self.models)
        return patterns.match(provider, model) or (route_name != "" and patterns.match_route(route_name))

    def allows_address(self, address: str) -> bool:
        return not self.allow_ip or _inside(address, self.allow_ip)


def _inside(address: str, networks: Sequence[str]) -> bool:
    try:
        host = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(host, "ipv4_mapped", None) or host
    return any(mapped in ip_network(network, strict=False) for network in networks)


@dataclass(frozen=True, slots=True)
class Spend:
    """The amounts in pico-USD that a key has spent in the current periods, and the amount held for its requests."""

    day_pico: int = 0
    week_pico: int = 0
    month_pico: int = 0
    total_pico: int = 0
    held_pico: int = 0
    open_requests: int = 0

    def of(self, period: CapPeriod) -> int:
        spent_pico: int = getattr(self, f"{period}_pico")
        return spent_pico


class KeyStore(Protocol):
    """Stores API keys by their digests."""

    async def add(self, key: Key, *, rotated_from: int | None = None) -> Key:
        """Adds a key. `key.id` is ignored and assigned.

        The spend of the key that it replaces counts on, so that no cap starts anew. Its owners own this one too.
        """
        ...

    async def find(self, reference: str) -> Key | None:
        """Finds a key by public id, visible prefix, or label. The latter two count only if exactly one key has them."""
        ...

    async def get(self, key_id: int) -> Key: ...

    async def list(self, user_id: int | None = None) -> Sequence[Key]: ...

    async def page(self, search: str, before_id: int | None, limit: int, user_id: int | None = None) -> Sequence[Key]:
        """Returns keys, the newest first: those before that number, if one is given.

        `search` selects those whose id or visible prefix begins with the text, or whose label contains it.
        """
        ...

    async def update(self, key: Key) -> None:
        """Writes label, models, networks, limits, status, expiry, regions, tags and the rules."""
        ...

    async def spend(self, key_id: int) -> Spend: ...

    async def spend_by_key(self, user_id: int) -> Mapping[int, Spend]:
        """Returns what each key of the user has spent, by the key's number. A key without a request is absent."""
        ...

"""API keys: who they speak for and what they may do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from ipaddress import ip_address, ip_network
from typing import Protocol

from softix_proxy.domain.core.clock import CapPeriod


class KeyStatus(StrEnum):
    ACTIVE = "active"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class KeyLimits:
    """What bounds a key. None means no limit of that kind."""

    rpm: int | None = None
    tpm: int | None = None
    concurrency: int | None = None
    cap_pico: int | None = None
    cap_period: CapPeriod = "total"


@dataclass(frozen=True, slots=True)
class Key:
    """Describes an API key as it is stored: its digest, whose it is, and what bounds it."""

    id: int
    public_id: str
    user_id: int
    label: str
    prefix: str
    """The first letters of the key, for people to tell keys apart; not enough to use it."""
    digest: bytes
    models: tuple[str, ...]
    """Shell patterns over model names and `provider/model`; empty means every model."""
    allow_ip: tuple[str, ...]
    """CIDR networks the caller must be in; empty means any."""
    limits: KeyLimits
    status: KeyStatus
    expires_at_us: int | None
    created_at_us: int
    regions: tuple[str, ...] = ()
    """Where its requests may be worked on; empty: wherever its user's may."""

    def allows_model(self, *names: str) -> bool:
        """Whether any of these names of one model matches a pattern."""
        return not self.models or any(fnmatchcase(name, pattern) for name in names for pattern in self.models)

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
    """What a key has spent in the periods that hold the present, and what is held for its requests. Pico-USD."""

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
    """Keeps API keys by their digests."""

    async def add(self, key: Key, *, rotated_from: int | None = None) -> Key:
        """`key.id` is ignored and given. What the key it replaces has spent counts on, so that no cap starts anew."""
        ...

    async def find(self, reference: str) -> Key | None:
        """By public id, visible prefix, or label; the latter two only where exactly one key has it."""
        ...

    async def get(self, key_id: int) -> Key: ...

    async def list(self, user_id: int | None = None) -> Sequence[Key]: ...

    async def update(self, key: Key) -> None:
        """Writes label, models, networks, limits, status, expiry and regions."""
        ...

    async def spend(self, key_id: int) -> Spend: ...

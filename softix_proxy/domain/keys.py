"""API keys: who they speak for and what they may do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from ipaddress import ip_address, ip_network

from softix_proxy.domain.clock import Period


class KeyStatus(StrEnum):
    ACTIVE = "active"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Limits:
    """What bounds a key. None means no limit of that kind."""

    rpm: int | None = None
    tpm: int | None = None
    concurrency: int | None = None
    cap_pico: int | None = None
    cap_period: Period = "total"


@dataclass(frozen=True, slots=True)
class Key:
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
    limits: Limits
    status: KeyStatus
    expires_at_us: int | None
    created_at_us: int

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

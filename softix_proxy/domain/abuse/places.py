"""From where keys were used. This is what the rules about addresses look at."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address, ip_network
from typing import NamedTuple

from softix_proxy.domain.core.clock import DAY_US

_OF_A_PROVIDER = {4: 24, 6: 48}
"""The prefix that counts as one network. An office or a server seldom has addresses of several."""


class SeenAddress(NamedTuple):
    """One address that a key was used from on one day."""

    day: int
    address: str
    """Empty for all addresses beyond what is kept of one day."""
    first_us: int
    last_us: int
    requests: int


def network_of(address: str) -> str:
    """Returns the network that an address is counted by: the /24 of IPv4, or the /48 of IPv6. Other texts stay."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return str(ip_network(f"{found}/{_OF_A_PROVIDER[found.version]}", strict=False))


@dataclass(frozen=True, slots=True)
class KeyPlaces:
    """One key, and the addresses that it was used from."""

    key_id: int
    public_id: str
    user_id: int
    now_us: int
    seen: Sequence[SeenAddress] = field(repr=False)
    country_of: Callable[[str], str] = field(repr=False, default=lambda _: "")
    """Returns the code of an address's country, or an empty text."""

    def known_days(self) -> int:
        """Returns for how many days before now the key is known."""
        return (self.now_us - min((one.first_us for one in self.seen), default=self.now_us)) // DAY_US

    def networks(self) -> Mapping[str, Sequence[SeenAddress]]:
        """Returns what was seen by network."""
        return _grouped(self.seen, network_of)

    def countries(self) -> Mapping[str, Sequence[SeenAddress]]:
        """Returns what was seen by country, as far as it is known."""
        found = _grouped(self.seen, self.country_of)
        return {country: seen for country, seen in found.items() if country}


def _grouped(seen: Sequence[SeenAddress], by: Callable[[str], str]) -> Mapping[str, Sequence[SeenAddress]]:
    found: dict[str, list[SeenAddress]] = {}
    for one in seen:
        if one.address:
            found.setdefault(by(one.address), []).append(one)
    return found

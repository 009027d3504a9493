"""The network of a client, by which clients are counted that need no key to be told apart."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

_OF_ONE_SITE = 64
"""The prefix of IPv6 that one site has at least (RFC 6177). Each host in it can take any address of it."""


@lru_cache(4096)
def client_network(address: str) -> str:
    """Returns the name by which a client is counted: an IPv4 address, the /64 of an IPv6 address, or the text itself.

    IPv4 that was mapped to IPv6 counts as IPv4. A text that is no address is the name of a client by itself.
    """
    try:
        found = ip_address(address.strip("[]"))
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ip_network((int(found) >> _OF_ONE_SITE << _OF_ONE_SITE, _OF_ONE_SITE)))
    return str(found)

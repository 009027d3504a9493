"""Decides which hosts are never a provider: those that hand the secrets of a cloud's machine to whoever asks there.

A provider's base URL is compared, and each address to which its name leads. Loopback and private addresses are
allowed, because an operator may run a model there.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from socket import inet_aton

_FORBIDDEN = tuple(
    ip_network(network)
    for network in (
        "169.254.0.0/16",  # link-local: AWS, Azure, Google, Oracle, OpenStack and most others
        "fe80::/10",  # link-local of IPv6
        "fd00:ec2::/32",  # AWS: metadata, credentials of EKS pods
        "fd20:ce::/32",  # Google
        "fd00:42::42/128",  # Scaleway
        "fd00:c1::/32",  # Oracle
        "100.100.100.200/32",  # Alibaba
        "168.63.129.16/32",  # Azure: the host of the virtual machine
        "192.0.0.192/32",  # Oracle's earlier cloud
    )
)
_FORBIDDEN_NAMES = frozenset(
    (
        "metadata",
        "metadata.google.internal",
        "metadata.goog",
        "metadata.azure.internal",
        "metadata.azure.com",
        "metadata.tencentyun.com",
        "metadata.oraclecloud.com",
        "metadata.platformequinix.com",
        "metadata.packet.net",
        "instance-data",
        "instance-data.ec2.internal",
    )
)
_IN_THE_LAST_BITS = tuple(
    ip_network(network)
    for network in (
        "::/96",  # the old form of compatible addresses
        "::ffff:0:0/96",  # mapped (RFC 4291)
        "::ffff:0:0:0/96",  # translated (RFC 2765)
        "64:ff9b::/96",  # NAT64 (RFC 6052)
        "64:ff9b:1::/48",  # NAT64 of a local network (RFC 8215), with a prefix of 96 bits
    )
)
_LOCAL_NAT64 = ip_network("64:ff9b:1::/48")
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)


def is_forbidden_host(host: str) -> bool:
    """Returns whether this host serves the secrets of a cloud's machines, or is any other link-local address.

    It recognises every spelling that the system's resolver takes for an address (`0xa9fea9fe`, `169.254.43518`), and
    an IPv4 address within one of IPv6.
    """
    name = host.partition("%")[0].strip("[]").rstrip(".")
    address = _address(name)
    if address is None:
        return name.lower() in _FORBIDDEN_NAMES
    return any(each in network for each in _meant(address) for network in _FORBIDDEN)


def is_private_host(host: str) -> bool:
    """Returns whether this is an address that the internet does not reach: this machine's, or a private network's.

    It recognises the same spellings. Of names, only `localhost` and those below it are; where others lead is seen when
    they are resolved.
    """
    name = host.partition("%")[0].strip("[]").rstrip(".")
    address = _address(name)
    if address is None:
        return name.lower() == "localhost" or name.lower().endswith(".localhost")
    meant = list(_meant(address))
    if any(address in network for network in _IN_THE_LAST_BITS):
        meant = meant[1:]  # the address itself says only how the other one is reached
    return any(not each.is_global or each.is_multicast for each in meant)


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host if ":" in host else inet_aton(host))
    except (ValueError, OSError):
        return None


def _meant(address: IPv4Address | IPv6Address) -> Iterator[IPv4Address | IPv6Address]:
    """Yields the address, and each IPv4 address to which a translator or tunnel on the way may bring it."""
    yield address
    if isinstance(address, IPv4Address):
        return
    bits = int(address)
    if any(address in network for network in _IN_THE_LAST_BITS) or (bits >> 32) & 0xFFFF_FFFF in _ISATAP:
        yield IPv4Address(bits & 0xFFFF_FFFF)
    if address in _LOCAL_NAT64:  # RFC 6052, section 2.2: 16 bits of the address, a byte of zeros, and 16 bits
        yield IPv4Address((bits >> 64 & 0xFFFF) << 16 | (bits >> 40 & 0xFFFF))
    if address.sixtofour is not None:
        yield address.sixtofour
    yield from address.teredo or ()

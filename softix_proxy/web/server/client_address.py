"""Finds the client's address: the peer's address, or the one that a trusted proxy reports."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from aiohttp import web

Network = IPv4Network | IPv6Network


class NetworkSet:
    """A set of networks that addresses can be looked up in."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._networks: tuple[Network, ...] = tuple(ip_network(text, strict=False) for text in texts)

    def __bool__(self) -> bool:
        return bool(self._networks)

    def have(self, text: str) -> bool:
        address = _parse(text)
        return address is not None and any(address in network for network in self._networks)


class ClientAddresses:
    """Finds the addresses of clients behind trusted proxies."""

    def __init__(self, trusted_proxies: Sequence[str]) -> None:
        self._trusted = NetworkSet(trusted_proxies)

    def trust(self, peer: str) -> bool:
        """Returns whether the peer is a trusted proxy, which speaks for many clients."""
        return bool(self._trusted) and self._trusted.have(peer)

    def of(self, peer: str, forwarded_for: str | None) -> str:
        """Returns the last address in the chain that is no trusted proxy. Those before it may be invented."""
        if not self._trusted or forwarded_for is None or not self._trusted.have(peer):
            return peer
        for hop in reversed([part.strip() for part in forwarded_for.split(",")]):
            if not self._trusted.have(hop):
                return hop if _parse(hop) is not None else peer
        return peer


def peer_of(request: web.BaseRequest) -> str:
    """Returns the address of the other end, or an empty text if the connection is gone."""
    return end_of(request.transport, "peername")


def end_of(transport: asyncio.BaseTransport | None, name: str) -> str:
    """Returns the address of `peername` or `sockname`, or an empty text if the connection is gone."""
    end = transport.get_extra_info(name) if transport is not None else None
    return str(end[0]) if isinstance(end, (tuple, list)) and end else ""


def is_this_machine(text: str, here: str) -> bool:
    """Returns whether the address is the loopback, or the very address at which softix was reached."""
    address = _parse(text)
    return address is not None and (address.is_loopback or address == _parse(here))


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.strip("[]"))
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address

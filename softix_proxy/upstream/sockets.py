"""The sockets that lead to providers."""

from __future__ import annotations

import socket

import aiohttp

from softix_proxy.domain.providers import is_metadata_host


def open_socket(address: aiohttp.AddrInfoType) -> socket.socket:
    """Looks at the address that a name led to, which the name does not tell. Raises OSError."""
    family, kind, protocol, _, place = address
    if is_metadata_host(str(place[0])):
        raise OSError("link-local")
    return socket.socket(family, kind, protocol)

"""The sockets that lead to providers, and whom they trust."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

import aiohttp

from softix_proxy.domain.errors import FailureError
from softix_proxy.domain.providers import is_metadata_host


def open_socket(address: aiohttp.AddrInfoType) -> socket.socket:
    """Looks at the address that a name led to, which the name does not tell. Raises OSError."""
    family, kind, protocol, _, place = address
    if is_metadata_host(str(place[0])):
        raise OSError("link-local")
    return socket.socket(family, kind, protocol)


def trust(ca_file: Path | None) -> ssl.SSLContext:
    """The system's certificate authorities, or those of a file. Raises FailureError."""
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError):
        raise FailureError(f"cannot read certificates from {ca_file}", "check upstream.ca_file") from None
    context.set_alpn_protocols(["http/1.1"])
    return context

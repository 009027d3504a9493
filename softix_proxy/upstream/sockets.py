"""The sockets to providers, and the certificate authorities that they trust."""

from __future__ import annotations

import asyncio
import socket
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from softix_proxy.domain.catalog.forbidden_hosts import is_forbidden_host
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.instance import open_files

if TYPE_CHECKING:
    from aiohttp import AddrInfoType


class ForbiddenAddressError(OSError):
    """A host name led to an address that is never a provider, such as the metadata service of a cloud."""


class OutOfFilesError(FailureError):
    """This process has no more open files. The provider is not at fault."""


def open_socket(address: AddrInfoType) -> socket.socket:
    """Opens a socket for one address. Checks the address to which a host name led, since the name does not show it.

    It is the very address that is dialled afterwards, whatever the name leads to the next time. Raises OSError.
    """
    family, kind, protocol, _, place = address
    if is_forbidden_host(str(place[0])):
        raise ForbiddenAddressError("forbidden address")
    return socket.socket(family, kind, protocol)


def dial(host: str, port: int, timeout_s: float) -> socket.socket:
    """Connects to the first address of a host that answers, and waits for it. Each is checked. Raises OSError."""
    failed = OSError("no address")
    for address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        opened = None
        try:
            opened = open_socket(address)
            opened.settimeout(timeout_s)
            opened.connect(address[4])
        except OSError as error:
            failed = error
            if opened is not None:
                opened.close()
        else:
            return opened
    raise failed


def trust(ca_file: Path | None) -> ssl.SSLContext:
    """Returns a context with the system's certificate authorities, or those of a file. Raises FailureError."""
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        if open_files.are_used_up(error):
            raise OutOfFilesError("no file can be opened", open_files.RAISE_IT) from None
        raise FailureError(f"cannot read certificates from {ca_file}", "check upstream.ca_file") from None
    context.set_alpn_protocols(["http/1.1"])
    return context


class Trust:
    """The same context, created in a thread when it is first needed.

    The system's authorities take 50 ms and a megabyte.
    """

    def __init__(self, ca_file: Path | None) -> None:
        """Reads a file at once, so that a wrong one is reported at the start. Raises FailureError."""
        self._context = None if ca_file is None else trust(ca_file)

    async def context(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = await asyncio.to_thread(trust, None)
        return self._context

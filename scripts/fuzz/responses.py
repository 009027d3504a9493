"""The parser of providers' HTTP responses, given bytes in place of a socket."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable

from scripts.fuzz.targets import check, pieces, split
from softix_proxy.domain.ports.upstream import ProviderFault
from softix_proxy.upstream.http1_connection import Http1Connection

_LOOP = asyncio.new_event_loop()
_MOST_HEADERS = 128


class _Transport(asyncio.Transport):
    """Takes what is written, and has a socket on which nothing ever arrives."""

    def __init__(self, quiet: socket.socket) -> None:
        super().__init__({"socket": quiet})
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        return

    def is_closing(self) -> bool:
        return self.closed

    def abort(self) -> None:
        self.closed = True

    def pause_reading(self) -> None:
        return

    def resume_reading(self) -> None:
        return


async def _read(parts: Iterable[bytes]) -> tuple[object, ...]:
    """The status, the headers and the body, or that it failed; and whether the connection is used again."""
    ours, theirs = socket.socketpair()
    connection = Http1Connection()
    try:
        connection.connection_made(_Transport(ours))
        asked = asyncio.create_task(connection.exchange(b"", b"", 5.0))
        await asyncio.sleep(0)
        for part in parts:
            connection.data_received(part)
        reusable = connection.complete and connection.reusable
        connection.connection_lost(None)
        try:
            await asked
            body = b""
            while chunk := await connection.chunk():
                body += chunk
        except ProviderFault:
            return "fault", reusable
        check(100 < connection.status < 1000, f"the status {connection.status}")
        check(len(connection.headers) <= _MOST_HEADERS + 1, "more headers than there may be")
        check(
            all("\r" not in f"{n}{v}" and "\n" not in f"{n}{v}" for n, v in connection.headers),
            "a line break in a header",
        )
        return connection.status, connection.headers, body, reusable
    finally:
        connection.close()
        ours.close()
        theirs.close()


def provider_response(data: bytes) -> None:
    steering, stream = split(data, 4)
    whole = _LOOP.run_until_complete(_read([stream] if stream else []))
    apart = _LOOP.run_until_complete(_read(pieces(stream, steering[1:])))
    if whole != apart and stream.endswith(b"\n"):  # llhttp passes over empty lines between two responses
        whole, apart = whole[:-1], apart[:-1]
    check(whole == apart, f"the response depends on how it is split: {whole!r} and {apart!r}")

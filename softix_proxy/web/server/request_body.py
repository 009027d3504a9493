"""Reads a request's body. Its size and the time without progress are limited, and it is copied once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

from aiohttp import web

from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.relay.core.inbound import ClientGoneError
from softix_proxy.web.server.aiohttp_internals import HttpProcessingError, send_continue
from softix_proxy.web.server.inflate import inflater

_PREALLOCATE_BYTES = 256 * 1024
_LEAST_BYTES_PER_S = 1024
"""The least speed. A slower body is given up after the time for which a body may pause."""
_TURN_BYTES = 1024 * 1024
"""The bytes that are decompressed before other requests are served. They take some milliseconds."""
_CODING = "Content-Encoding"


async def read(request: web.BaseRequest, limit_bytes: int, timeout_s: float) -> bytes:
    """Returns the body.

    Raises RefusedError if it is too large, too slow or not decodable, ClientGoneError if it ends early.
    """
    announced = announced_bytes(request, limit_bytes)
    content = request.content
    with told():
        plain = _CODING not in request.headers
        # the whole body is here, and no longer than announced
        if plain and content.is_eof() and 0 < announced < _PREALLOCATE_BYTES:
            return content.read_nowait(-1)
        return await _gather(BodyPieces(request, timeout_s), announced if plain else 0, limit_bytes)


def announced_bytes(request: web.BaseRequest, limit_bytes: int) -> int:
    """Returns the announced size, or 0 if the client announces none. Raises RefusedError."""
    announced = request.content_length or 0
    if announced > limit_bytes:
        raise too_large(limit_bytes)
    return announced


@contextmanager
def told() -> Iterator[None]:
    """Turns the errors of reading a body into those that the relay knows."""
    try:
        yield
    except TimeoutError:
        raise RefusedError(Code.REQUEST_TIMEOUT, "The request's body did not arrive in time.") from None
    except (web.PayloadAccessError, ConnectionError):
        raise ClientGoneError from None
    except (HttpProcessingError, web.RequestPayloadError, ValueError):
        raise RefusedError(Code.INVALID_REQUEST, "The request's body is not encoded as its headers say.") from None


class BodyPieces:
    """The body of a request as it comes, decompressed. Other requests are served between the pieces."""

    def __init__(self, request: web.BaseRequest, timeout_s: float) -> None:
        """Raises RefusedError if the body is compressed in a way that softix does not read."""
        self._request = request
        self._inflater = inflater(request.headers.getall(_CODING)) if _CODING in request.headers else None
        self._inflated: Iterator[bytes] = iter(())
        self._inflated_bytes = 0
        self._timeout_s = timeout_s
        self._began_s: float | None = None
        self._read_bytes = 0

    @property
    def is_compressed(self) -> bool:
        return self._inflater is not None

    async def next(self) -> bytes:
        """Returns the next piece. It is empty at the end. Raises what `told` turns into the relay's errors."""
        if self._inflater is None:
            return await self._received()
        while True:
            if piece := next(self._inflated, b""):
                self._inflated_bytes += len(piece)
                if self._inflated_bytes >= _TURN_BYTES:
                    self._inflated_bytes = 0
                    await asyncio.sleep(0)
                return piece
            received = await self._received()
            if not received:
                self._inflater.end()
                return b""
            self._inflated = self._inflater.feed(received)

    async def _received(self) -> bytes:
        if self._began_s is None:
            await ask_for_it(self._request)
            self._began_s = asyncio.get_running_loop().time()
        async with asyncio.timeout_at(late_s(self._began_s, self._read_bytes, self._timeout_s)):
            chunk = await self._request.content.readany()
        self._read_bytes += len(chunk)
        return chunk


async def ask_for_it(request: web.BaseRequest) -> None:
    """Tells a client that sent `Expect: 100-continue` to send its body.

    Such a client waits until its head is accepted.
    """
    if request.headers.get("Expect", "").lower() != "100-continue":
        return
    await send_continue(request)


async def _gather(pieces: BodyPieces, announced: int, limit_bytes: int) -> bytes:
    """Gathers the body.

    Each part is written to its final place. CPython's BytesIO returns its contents without a copy.
    """
    body = BytesIO()
    if announced >= _PREALLOCATE_BYTES:
        body.seek(announced - 1)
        body.write(b"\0")
        body.seek(0)
    size = 0
    while piece := await pieces.next():
        size += len(piece)
        if size > limit_bytes:
            raise too_large(limit_bytes)
        body.write(piece)
    body.truncate()
    return body.getvalue()


def late_s(began_s: float, size_bytes: int, timeout_s: float) -> float:
    """Returns when the next piece of a body is late, by the event loop's clock. `size_bytes` are here already."""
    return min(asyncio.get_running_loop().time(), began_s + size_bytes / _LEAST_BYTES_PER_S) + timeout_s


def too_large(limit_bytes: int) -> RefusedError:
    return RefusedError(Code.BODY_TOO_LARGE, f"The request's body is larger than {limit_bytes // 1024**2} MiB.")

"""Reads a request's body. Its size and the time without progress are limited, and it is copied once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

from aiohttp import StreamReader, web

from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.relay.core.inbound import ClientGoneError
from softix_proxy.web.server.aiohttp_internals import HttpProcessingError, send_continue

_PREALLOCATE_BYTES = 256 * 1024
_LEAST_BYTES_PER_S = 1024
"""The least speed. A slower body is given up after the time for which a body may pause."""


async def read(request: web.BaseRequest, limit_bytes: int, timeout_s: float) -> bytes:
    """Returns the body.

    Raises RefusedError if it is too large, too slow or not decodable, ClientGoneError if it ends early.
    """
    announced = announced_bytes(request, limit_bytes)
    content = request.content
    with told():
        plain = "Content-Encoding" not in request.headers
        # the whole body is here, and no longer than announced
        if plain and content.is_eof() and 0 < announced < _PREALLOCATE_BYTES:
            return content.read_nowait(-1)
        await ask_for_it(request)
        return await _gather(content, announced, limit_bytes, timeout_s)


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


async def ask_for_it(request: web.BaseRequest) -> None:
    """Tells a client that sent `Expect: 100-continue` to send its body.

    Such a client waits until its head is accepted.
    """
    if request.headers.get("Expect", "").lower() != "100-continue":
        return
    await send_continue(request)


async def _gather(content: StreamReader, announced: int, limit_bytes: int, timeout_s: float) -> bytes:
    """Gathers the body.

    Each part is written to its final place. CPython's BytesIO returns its contents without a copy.
    """
    body = BytesIO()
    if announced >= _PREALLOCATE_BYTES:
        body.seek(announced - 1)
        body.write(b"\0")
        body.seek(0)
    size, began_s = 0, asyncio.get_running_loop().time()
    while True:
        async with asyncio.timeout_at(late_s(began_s, size, timeout_s)):
            chunk = await content.readany()
        if not chunk:
            break
        size += len(chunk)
        if size > limit_bytes:
            raise too_large(limit_bytes)
        body.write(chunk)
    body.truncate()
    return body.getvalue()


def late_s(began_s: float, size_bytes: int, timeout_s: float) -> float:
    """Returns when the next piece of a body is late, by the event loop's clock. `size_bytes` are here already."""
    return min(asyncio.get_running_loop().time(), began_s + size_bytes / _LEAST_BYTES_PER_S) + timeout_s


def too_large(limit_bytes: int) -> RefusedError:
    return RefusedError(Code.BODY_TOO_LARGE, f"The request's body is larger than {limit_bytes // 1024**2} MiB.")

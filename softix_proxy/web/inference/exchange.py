"""Runs what the relay serves, in one task each. Every error becomes a response or the end of the connection."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import TypeVar

from aiohttp import web

from softix_proxy.domain.core.errors import Code, OperatorError, RefusedError
from softix_proxy.domain.instance import open_files
from softix_proxy.relay.core.inbound import ClientGoneError
from softix_proxy.web.router.request_context import RequestContext
from softix_proxy.web.server.client_connection import ClientConnection
from softix_proxy.web.server.http_downstream import HttpDownstream
from softix_proxy.web.server.websocket_downstream import WebSocketDownstream

log = logging.getLogger("softix.web")
Downstream = TypeVar("Downstream", HttpDownstream, WebSocketDownstream)
_OUT_OF_FILES = "softix has reached its limit of open files. Try again."
_STATUS_CLIENT_CLOSED = 499  # nginx uses this status for a client that closed before the response; nobody reads it


def downstream_of(context: RequestContext, kind: type[Downstream]) -> Downstream:
    """Returns the client to which the relay responds.

    Raises RefusedError while softix stops, or if the key has its share already.
    """
    if context.app.monitor.draining:
        raise RefusedError(Code.SHUTTING_DOWN, "softix is stopping. Try again in a moment.", retry_after_s=1)
    context.app.key_shares.check(context.credential)
    connection = context.request.protocol
    assert isinstance(connection, ClientConnection)  # noqa: S101 - the factory makes no other
    return kind(context.request, connection, context.public_id)


async def run(
    context: RequestContext, downstream: HttpDownstream | WebSocketDownstream, serving: Awaitable[None]
) -> web.StreamResponse:
    """Runs the exchange, and returns its response. Raises RefusedError, OperatorError."""
    task, running, shares = asyncio.current_task(), context.app.running, context.app.key_shares
    assert task is not None  # noqa: S101
    running.add(task)
    shares.enter(context.credential)
    try:
        await serving
    except ClientGoneError:
        downstream.cut()
    except (RefusedError, OperatorError):
        raise
    except Exception as error:
        if downstream.response is None and open_files.are_used_up(error):
            raise RefusedError(Code.OUT_OF_FILES, _OUT_OF_FILES, retry_after_s=1) from None
        if downstream.response is None:
            raise
        fields = {"request_id": context.public_id, "error": type(error).__name__}
        log.exception("a request failed", extra=fields)
        downstream.cut()
    finally:
        downstream.forget()
        running.discard(task)
        shares.leave(context.credential)
    return downstream.response or web.Response(status=_STATUS_CLIENT_CLOSED)

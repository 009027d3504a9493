"""The client of a realtime session: how it asks for one, and its WebSocket. Implements `relay.core.inbound.Guest`."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qs

import msgspec
from aiohttp import WSMsgType, web

from softix_proxy.dialects.core.fields import invalid, unmetered
from softix_proxy.domain.core.headers import Header
from softix_proxy.relay.core.inbound import ClientGoneError
from softix_proxy.web.connection import SERVER, Connection

PATH = "/realtime"
MAX_MESSAGE_BYTES = 16 * 1024 * 1024
_PROTOCOL = "realtime"
_KEY = "openai-insecure-api-key."
"""What browsers, which can set no headers, write their key behind."""
_PROTOCOLS = "sec-websocket-protocol"
_CLOSE_S = 2.0


def asks_for(path: str, method: str, named: Mapping[str, str]) -> bool:
    return path == PATH and method == "GET" and "websocket" in named.get("upgrade", "").lower()


def key_of(named: Mapping[str, str]) -> str | None:
    """The key among the subprotocols."""
    return next((part[len(_KEY) :] for part in _offered(named) if part.startswith(_KEY)), None)


def told_by_protocols(named: Mapping[str, str]) -> list[Header]:
    """What browsers say there that others say in headers."""
    return [("openai-beta", "realtime=v1")] if "openai-beta.realtime-v1" in _offered(named) else []


async def opening_of(request: web.BaseRequest, query: str) -> bytes:
    """What the address says of a session, as the body of a request would. Raises RefusedError.

    Azure's clients call the model their deployment, whatever else they name.
    """
    offered = _offered({_PROTOCOLS: request.headers.get(_PROTOCOLS, "")})
    if offered and _PROTOCOL not in offered:
        raise invalid(f"Of subprotocols, `{_PROTOCOL}` is spoken here.")
    if not web.WebSocketResponse(protocols=(_PROTOCOL,)).can_prepare(request).ok:
        raise invalid("This is not how a WebSocket is opened.")
    asked = parse_qs(query)
    if {"intent", "call_id"} & asked.keys():
        raise unmetered("Only sessions that name a `model` can be metered here: no transcription alone, and no calls.")
    named = asked.get("deployment") or asked.get("model", [])
    if len(named) > 1:
        raise invalid("`model` comes twice.")
    return msgspec.json.encode({"model": named[0] if named else ""})


def _offered(named: Mapping[str, str]) -> list[str]:
    return [part.strip() for part in named.get(_PROTOCOLS, "").split(",") if part.strip()]


class SocketGuest:
    """`response` is what the server is to finish when the session is over."""

    def __init__(self, request: web.BaseRequest, connection: Connection, request_id: str) -> None:
        self._request = request
        self._connection = connection
        self._request_id = request_id
        self.response: web.WebSocketResponse | None = None

    async def accept(self) -> None:
        response = web.WebSocketResponse(
            timeout=_CLOSE_S,
            protocols=(_PROTOCOL,),
            compress=False,
            max_msg_size=MAX_MESSAGE_BYTES,
            decode_text=False,
        )
        response.headers["x-softix-request-id"] = self._request_id
        response.headers["Server"] = SERVER
        self.response = response
        try:
            await response.prepare(self._request)
        except ConnectionError:
            raise ClientGoneError from None

    async def receive(self) -> bytes:
        message = await self._socket.receive()
        if message.type is WSMsgType.TEXT:
            found: bytes = message.data
            return found
        if message.type is WSMsgType.BINARY:
            raise invalid("The events of a session are texts.")
        raise ClientGoneError

    async def send(self, message: bytes) -> None:
        try:
            await self._socket.send_frame(message, WSMsgType.TEXT)
        except (ConnectionError, RuntimeError):
            raise ClientGoneError from None

    async def close(self, code: int) -> None:
        await self._socket.close(code=code)

    @property
    def _socket(self) -> web.WebSocketResponse:
        assert self.response is not None  # noqa: S101
        return self.response

"""The client of a realtime session: its WebSocket. It implements `relay.core.inbound.Guest`."""

from __future__ import annotations

from aiohttp import WSMsgType, web

from softix_proxy.dialects.request.fields import invalid
from softix_proxy.relay.core.inbound import ClientGoneError
from softix_proxy.web.server.client_connection import SERVER, ClientConnection

PROTOCOL = "realtime"
MAX_MESSAGE_BYTES = 16 * 1024 * 1024
_CLOSE_S = 2.0


class WebSocketDownstream:
    """The client of a session. `response` is the response that the server has to finish when the session is over."""

    def __init__(self, request: web.BaseRequest, connection: ClientConnection, request_id: str) -> None:
        self._request = request
        self._connection = connection
        self._request_id = request_id
        self.response: web.WebSocketResponse | None = None

    async def accept(self) -> None:
        response = web.WebSocketResponse(
            timeout=_CLOSE_S,
            protocols=(PROTOCOL,),
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

    def cut(self) -> None:
        self._connection.force_close()

    def forget(self) -> None:
        """Stops reporting the end of the connection."""
        self._connection.when_gone = None

    @property
    def _socket(self) -> web.WebSocketResponse:
        assert self.response is not None  # noqa: S101
        return self.response

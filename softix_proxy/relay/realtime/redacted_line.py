"""A WebSocket to a provider, without what is the operator's in its messages."""

from __future__ import annotations

from softix_proxy.domain.ports.upstream import WebSocketConnection
from softix_proxy.relay.core.redaction import Redaction

_ERROR = b'"error"'
_WITHHELD = b'{"type":"error","error":{"type":"server_error","message":"[redacted]"}}'


class RedactedLine:
    """Implements `domain.ports.upstream.WebSocketConnection`."""

    def __init__(self, line: WebSocketConnection, hidden: Redaction) -> None:
        self._line = line
        self._hidden = hidden
        self.secret = line.secret

    @property
    def close_code(self) -> int | None:
        return self._line.close_code

    async def receive(self) -> bytes | None:
        message = await self._line.receive()
        if message is None:
            return None
        if _ERROR in message:
            return self._hidden.error(message) or _WITHHELD
        return self._hidden.content(message)

    async def send(self, message: bytes) -> None:
        await self._line.send(message)

    def abort(self) -> None:
        self._line.abort()

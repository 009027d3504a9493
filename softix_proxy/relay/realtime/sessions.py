"""The open realtime sessions. They begin here, and they are told when the daemon stops."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from softix_proxy.domain.core.errors import Code
from softix_proxy.domain.core.ids import RequestIds
from softix_proxy.domain.ports.upstream import WebSocketClient
from softix_proxy.relay.core.inbound import Guest, Inbound
from softix_proxy.relay.request.lifecycle import Lifecycle

if TYPE_CHECKING:
    from softix_proxy.relay.realtime.session import Session


@dataclass(slots=True)
class Sessions:
    """Serves sessions as `Lifecycle.serve` serves requests."""

    lifecycle: Lifecycle
    lines: WebSocketClient
    ids: RequestIds
    _open: set[Session] = field(default_factory=set)

    async def serve(self, request: Inbound, guest: Guest) -> Code | None:
        """Returns the code of the reason if softix ended the session.

        Raises RefusedError before the handshake is complete.
        """
        # the import is late, because most daemons have no session
        from softix_proxy.relay.realtime.session import Session

        spec = request.endpoint.read(await request.read_body())
        caller = await self.lifecycle.identify(request.credential, request.address)  # this slows down guesses as well
        self.lifecycle.seen.note(caller.key.id, request.address, request.user_agent, request.tls, request.started_at_us)
        digest = self.lifecycle.vault.digest(request.credential) if request.credential else None
        session = Session(self.lifecycle, self.lines, self.ids, request, digest, spec, guest)
        self._open.add(session)
        try:
            async with session:
                await session.dial()
                await session.run()
        finally:
            self._open.discard(session)
        return None if session.ending is None else session.ending.code

    def wind_up(self) -> None:
        """Ends each session after its current responses."""
        for session in self._open:
            session.wind_up()

"""When the client leaves a stream whose provider stops working once it is aborted."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from softix_proxy.domain.ports.upstream import UpstreamResponse
from softix_proxy.relay.settlement.hold import Hold


@dataclass(slots=True)
class ClientDisconnect:
    """To be called then: aborts the exchange, or whatever is waited for before there is one."""

    hold: Hold
    task: asyncio.Task[None] | None = None
    """Set where the provider is to be stopped; else nothing is done here."""
    exchange: UpstreamResponse | None = None

    def __call__(self) -> None:
        if self.task is None or self.hold.is_finishing:
            return
        self.hold.client_left()
        if self.exchange is not None:
            self.exchange.abort()
        else:
            self.task.cancel()

    def swallow(self) -> bool:
        """Whether a cancellation was this one, and no other came meanwhile."""
        return self.hold.client_is_gone and self.task is not None and self.task.uncancel() == 0

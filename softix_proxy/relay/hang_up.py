"""When the client leaves a stream whose provider stops working once it is aborted."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from softix_proxy.domain.upstream import UpstreamResponse
from softix_proxy.relay.settle import Hold


@dataclass(slots=True)
class HangUp:
    """To be called then: aborts the exchange, or whatever is waited for before there is one."""

    hold: Hold
    task: asyncio.Task[None] | None = None
    """Set where the provider is to be stopped; else nothing is done here."""
    exchange: UpstreamResponse | None = None

    def __call__(self) -> None:
        facts = self.hold.facts
        meter = facts.meter
        if self.task is None or facts.complete or (meter is not None and (meter.finishing or meter.ended)):
            return
        facts.hang_up()
        if self.exchange is not None:
            self.exchange.abort()
        else:
            self.task.cancel()

    def swallow(self) -> bool:
        """Whether a cancellation was this one, and no other came meanwhile."""
        return self.hold.facts.hung_up and self.task is not None and self.task.uncancel() == 0

"""Handles a client that leaves a stream. It serves providers that stop working when the request is aborted."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from softix_proxy.domain.ports.upstream import UpstreamResponse
from softix_proxy.relay.settlement.hold import Hold


@dataclass(slots=True)
class ClientDisconnect:
    """Aborts the exchange, or the wait before there is one. It is called when the client disconnects."""

    hold: Hold
    task: asyncio.Task[None] | None = None
    """The task that is cancelled.

    None if the provider is not to be stopped, and then a disconnect has no effect here.
    """
    exchange: UpstreamResponse | None = None

    def __call__(self) -> None:
        if self.task is None or self.hold.is_finishing or self.hold.reads_on:
            return
        self.hold.client_left()
        if self.exchange is not None:
            self.exchange.abort()
        else:
            self.task.cancel()

    def swallow(self) -> bool:
        """Returns whether a cancellation came from here and no other one came meanwhile."""
        return self.hold.client_is_gone and self.task is not None and self.task.uncancel() == 0

"""The context that all handlers work with.

The assembly makes it once, and it changes when the operator changes a setting.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import web

from softix_proxy.domain.core.clock import Clock
from softix_proxy.domain.core.ids import RequestIds, format_request_id
from softix_proxy.domain.instance.sections import ServerSection
from softix_proxy.domain.ports.storage import Storage
from softix_proxy.relay.realtime.sessions import Sessions
from softix_proxy.relay.request.lifecycle import Lifecycle
from softix_proxy.web.core.body_budget import BodyBudget
from softix_proxy.web.core.daemon_monitor import DaemonMonitor
from softix_proxy.web.core.key_shares import KeyShares
from softix_proxy.web.core.metrics_access import MetricsAccess
from softix_proxy.web.server.client_address import ClientAddresses

if TYPE_CHECKING:
    from softix_proxy.relay.batch.batches import Batches


@dataclass(slots=True)
class AppContext:
    """The relay's services, and the settings and the state that handlers share."""

    lifecycle: Lifecycle
    storage: Storage
    monitor: DaemonMonitor
    sessions: Sessions
    batches: Callable[[], Batches]
    """The function that makes the batches at the first use."""
    clock: Clock
    ids: RequestIds
    client_addresses: ClientAddresses
    max_body_bytes: int
    body_timeout_s: float
    bodies: BodyBudget = field(default_factory=lambda: BodyBudget(ServerSection().max_bodies_bytes))
    key_shares: KeyShares = field(default_factory=lambda: KeyShares.of(ServerSection()))
    metrics_access: MetricsAccess = field(default_factory=MetricsAccess)
    running: set[asyncio.Task[web.StreamResponse]] = field(default_factory=set)
    """One task for each request that the relay serves.

    The daemon waits for them when it stops, and cancels the rest.
    """

    def take(self, server: ServerSection) -> None:
        """Applies the operator's settings to the requests to come."""
        self.client_addresses = ClientAddresses(server.trusted_proxies)
        self.max_body_bytes, self.body_timeout_s = server.max_body_bytes, server.body_timeout_s
        self.metrics_access.take(server)
        self.key_shares.take(server)
        self.bodies.most_bytes = server.max_bodies_bytes
        self.lifecycle.guesses.per_minute = server.bad_keys_per_minute

    def new_request_id(self) -> str:
        return format_request_id(self.ids.next(self.clock.now_us()))

    def stop_taking(self) -> None:
        """Refuses new requests, and has each session end after its current responses."""
        self.monitor.draining = True
        self.sessions.wind_up()

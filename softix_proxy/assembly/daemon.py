"""The running daemon: it applies changed settings, and ends in order."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from softix_proxy.relay.core.policy import Policy
from softix_proxy.relay.request.lifecycle import Lifecycle
from softix_proxy.relay.routing.target_pool import TargetPool
from softix_proxy.settings import Reloaded, Settings, reloaded
from softix_proxy.telemetry import logs
from softix_proxy.upstream.client import HttpUpstream
from softix_proxy.upstream.websocket_client import ProviderWebSockets
from softix_proxy.web.core.daemon_monitor import DaemonMonitor
from softix_proxy.web.server.http_server import HttpServer
from softix_proxy.web.server.tls import Certificate

if TYPE_CHECKING:  # a daemon without the portal imports nothing of it
    from softix_proxy.assembly.portal_serving import PortalServing


@dataclass(slots=True)
class Serving:
    """A daemon that accepts requests."""

    url: str
    settings: Settings
    _server: HttpServer
    _lifecycle: Lifecycle
    _target_pool: TargetPool
    _upstream: HttpUpstream
    _lines: ProviderWebSockets
    _certificate: Certificate | None
    _monitor: DaemonMonitor
    portal: PortalServing | None = None

    def reload(self, read: Settings) -> Reloaded:
        """Applies the settings that a running daemon can change to the requests to come.

        If it raises FailureError, nothing was changed.
        """
        told = reloaded(self.settings, read)
        now = told.settings
        logs.set_up(now.log.level, now.log.format, now.log.file)
        if self._certificate is not None:
            self._certificate.renew()
        self._server.take(now.server)
        self._target_pool.take(now.routing)
        self._upstream.take(now.upstream)
        self._lines.take(now.upstream)
        self._lifecycle.policy = Policy.of(now.money, now.upstream, now.routing, now.relay)
        if self.portal is not None:
            self.portal.take(now)
        self.settings = now
        return told

    async def stop(self, now: asyncio.Event) -> int:
        """Serves on for `server.lame_duck_s`, then waits for `server.drain_s`. `now` ends both.

        Returns how many requests were cut off. All requests are settled.
        """
        if (lame_duck_s := self.settings.server.lame_duck_s) > 0:
            self._monitor.leaving = True
            await self._server.leave(lame_duck_s, now)
        closing = [self._server.close(self.settings.server.drain_s, now)]
        if self.portal is not None:
            closing.append(self.portal.stop(now))
        return sum(await asyncio.gather(*closing))

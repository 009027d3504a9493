"""A real receiver of webhooks on a free port of this machine, which verifies as receivers do (`standardwebhooks`)."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from standardwebhooks import Webhook

HANGS = "hangs"
"""An answer: the receiver never gives one."""
DIES = "dies"
"""The receiver has the event, and breaks the connection off."""
REDIRECTS = "redirects"
"""It answers 302, to itself."""


@dataclass(frozen=True)
class ReceivedEvent:
    headers: Mapping[str, str]
    body: bytes
    path: str

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def verified(self, secret: str) -> Any:
        """The event, if its signature is right. Raises WebhookVerificationError."""
        return Webhook(secret).verify(self.body, dict(self.headers))


@dataclass
class WebhookReceiver:
    url: str = ""
    received: list[ReceivedEvent] = field(default_factory=list)
    answers: list[int | str] = field(default_factory=list)
    """What the next requests are told. Those after them are told `usual`."""
    usual: int | str = 204
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait_for(self, count: int, timeout_s: float = 30) -> list[ReceivedEvent]:
        """Returns when this many requests have come."""
        async with asyncio.timeout(timeout_s):
            while len(self.received) < count:
                self.arrived.clear()
                await self.arrived.wait()
        return self.received

    async def handle(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.received.append(ReceivedEvent(headers, await request.read(), request.path_qs))
        answer = self.answers.pop(0) if self.answers else self.usual
        self.arrived.set()
        if answer == HANGS:
            await asyncio.Event().wait()
        if answer == DIES:
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        if answer == REDIRECTS:
            return web.Response(status=302, headers={"location": self.url})
        return web.Response(status=int(answer), text="thanks for all of it")


@asynccontextmanager
async def webhook_receiver(
    answers: Iterable[int | str] = (), *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[WebhookReceiver]:
    receiver = WebhookReceiver(answers=list(answers))
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.handle)
    runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=0.01)
    await runner.setup()
    site = web.TCPSite(runner, host, 0, ssl_context=tls)
    await site.start()
    try:
        port = runner.addresses[0][1]
        receiver.url = f"{'https' if tls else 'http'}://{host}:{port}/softix"
        yield receiver
    finally:
        await runner.cleanup()

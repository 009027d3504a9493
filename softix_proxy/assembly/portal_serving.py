"""Everything that the portal is made of. Nothing of it is imported where there is no portal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from softix_proxy.assembly.instance import Instance, open_instance
from softix_proxy.domain.core.errors import BadInputError

if TYPE_CHECKING:
    from softix_proxy.domain.access.public_url import PublicUrl
    from softix_proxy.domain.ports.vault import Vault
    from softix_proxy.settings import Reloaded, Settings
    from softix_proxy.web.portal.core.portal_context import PortalContext
    from softix_proxy.web.server.http_server import HttpServer


@dataclass(slots=True)
class PortalServing:
    """A portal that accepts requests."""

    url: str
    """The public URL, by which browsers reach it."""
    settings: Settings
    _context: PortalContext
    _server: HttpServer

    def reload(self, read: Settings) -> Reloaded:
        """Applies the settings that a running portal can change. If it raises FailureError, nothing was changed."""
        from softix_proxy.settings import reloaded
        from softix_proxy.telemetry import logs

        told = reloaded(self.settings, read)
        logs.set_up(told.settings.log.level, told.settings.log.format, told.settings.log.file)
        self.take(told.settings)
        return told

    def take(self, settings: Settings) -> None:
        """Applies settings that were read anew to the requests to come."""
        self.settings = settings
        self._context.take_all(settings)

    async def stop(self, now: asyncio.Event) -> int:
        """Waits for `server.drain_s`, or until `now`. Returns how many requests were cut off."""
        return await self._server.close(self.settings.server.drain_s, now)


@asynccontextmanager
async def serving_portal(settings: Settings) -> AsyncIterator[PortalServing]:
    """Starts the portal in a process of its own.

    Raises BadInputError without a public URL, and FailureError if the port is taken or the database is unusable.
    """
    from softix_proxy.storage.sqlite.core.checkpointer import Checkpointer

    public_url(settings)
    async with AsyncExitStack() as stack:
        instance = await stack.enter_async_context(open_instance(settings))
        checkpointer = Checkpointer(
            instance.database, settings.storage.checkpoint_pages, settings.storage.checkpoint_interval_s
        )
        stack.callback(checkpointer.close)
        yield await stack.enter_async_context(portal(instance, await instance.vault()))


@asynccontextmanager
async def portal(instance: Instance, vault: Vault) -> AsyncIterator[PortalServing]:
    """Starts the portal of an opened instance. Raises as `serving_portal` does."""
    from softix_proxy.domain.core.clock import parse_zone
    from softix_proxy.exports.core.templates import HtmlTemplates
    from softix_proxy.exports.core.texts import texts
    from softix_proxy.web.portal.core.portal_context import PortalContext
    from softix_proxy.web.portal.portal_listener import open_portal, portal_server
    from softix_proxy.web.server.client_address import ClientAddresses

    settings, catalogue = instance.settings, texts()
    url = public_url(settings)
    async with AsyncExitStack() as stack:
        context = PortalContext(
            storage=instance.storage,
            vault=vault,
            hasher=None,
            settings=settings,
            clock=instance.clock,
            templates=HtmlTemplates("portal", catalogue, parse_zone(settings.billing.zone)),
            texts=catalogue,
            url=url,
            find_session=_nobody,
            client_addresses=ClientAddresses(settings.server.trusted_proxies),
        )
        server = portal_server(context, settings.portal, settings.server, None)
        await open_portal(server)
        yield PortalServing(url.origin, settings, context, server)


async def _nobody(token: str) -> None:
    return None


def public_url(settings: Settings) -> PublicUrl:
    """Returns the public URL of the portal. Raises BadInputError if there is none."""
    from softix_proxy.domain.access.public_url import parse_public_url

    if settings.portal.public_url is None:
        raise BadInputError(
            "the portal has no address: portal.public_url is not set",
            'set the address that browsers use, for example: public_url = "https://portal.example.org"',
        )
    return parse_public_url(settings.portal.public_url)

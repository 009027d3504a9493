"""Everything that the portal is made of. Nothing of it is imported where there is no portal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from softix_proxy.assembly import mailing
from softix_proxy.assembly.background import run_until_closed
from softix_proxy.assembly.instance import Instance, open_id_provider, open_instance
from softix_proxy.domain.core.errors import BadInputError

if TYPE_CHECKING:
    from softix_proxy.assembly.payments import StripePayments
    from softix_proxy.domain.accounts.passwords import PasswordHasher
    from softix_proxy.domain.accounts.public_url import PublicUrl
    from softix_proxy.domain.ports.admin_commands import AdminCommands
    from softix_proxy.domain.ports.vault import Vault
    from softix_proxy.settings import Reloaded, Settings
    from softix_proxy.web.admin_api.api_context import ApiContext
    from softix_proxy.web.portal.core.portal_context import PortalContext
    from softix_proxy.web.server.acceptor import TlsContext
    from softix_proxy.web.server.http_server import HttpServer

    MakeCommands = Callable[[Callable[[], Settings]], AdminCommands]
    """Makes the commands for the settings that count at each call."""


@dataclass(slots=True)
class PortalServing:
    """A portal that accepts requests."""

    url: str
    """The public URL, by which browsers reach it."""
    settings: Settings
    _context: PortalContext
    _server: HttpServer
    _payments: StripePayments
    _api: ApiContext | None

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
        self._payments.settings = settings
        if self._api is not None:
            self._api.take_all(settings)

    async def stop(self, now: asyncio.Event) -> int:
        """Waits for `server.drain_s`, or until `now`. Returns how many requests were cut off."""
        return await self._server.close(self.settings.server.drain_s, now)


@asynccontextmanager
async def serving_portal(settings: Settings, make_commands: MakeCommands | None = None) -> AsyncIterator[PortalServing]:
    """Starts the portal in a process of its own, which sends messages as well.

    Raises BadInputError without a public URL, and FailureError if the port is taken or the database is unusable.
    """
    from softix_proxy.jobs.technical_data import watch_age
    from softix_proxy.storage.sqlite.core.checkpointer import Checkpointer

    public_url(settings)
    async with AsyncExitStack() as stack:
        instance = await stack.enter_async_context(open_instance(settings))
        stack.enter_context(instance.database.occupied(admits=False))
        vault = await instance.vault()
        checkpointer = Checkpointer(
            instance.database, settings.storage.checkpoint_pages, settings.storage.checkpoint_interval_s
        )
        stack.callback(checkpointer.close)
        running = await stack.enter_async_context(portal(instance, vault, make_commands))
        run_until_closed(stack, watch_age(instance.storage, settings.retention.technical_days))
        await stack.enter_async_context(mailing.sending(instance, vault))
        yield running


@asynccontextmanager
async def portal(
    instance: Instance, vault: Vault, make_commands: MakeCommands | None = None
) -> AsyncIterator[PortalServing]:
    """Starts the portal of an opened instance. Raises as `serving_portal` does.

    `make_commands` makes the commands that the admin API offers. Without it, or if the settings say so, there is none.
    """
    from softix_proxy.assembly.payments import StripePayments
    from softix_proxy.jobs import account_expiry
    from softix_proxy.jobs import payments as payment_jobs
    from softix_proxy.vault.password_hasher import QueuedPasswordHasher
    from softix_proxy.web.admin_api.admin_api import AdminApi
    from softix_proxy.web.admin_api.api_context import PREFIX
    from softix_proxy.web.portal.portal_listener import portal_server

    settings = instance.settings
    url = public_url(settings)
    tls = _tls(settings, url)
    async with AsyncExitStack() as stack:
        hasher = QueuedPasswordHasher()
        stack.push_async_callback(hasher.close)
        context = _context(instance, vault, hasher, url)
        service = StripePayments(settings, instance.storage, vault, instance.clock)
        stack.push_async_callback(service.close)
        context.payments = service
        api = await _admin_api(stack, context, make_commands) if settings.portal.admin_api else None
        beside = {} if api is None else {f"{PREFIX}/": AdminApi(api).handle}
        server = portal_server(context, settings.portal, settings.server, tls, beside)
        await server.open()
        stack.push_async_callback(server.close, 0, asyncio.Event())
        run_until_closed(stack, account_expiry.watch(instance.storage))
        if settings.payments.enabled:
            section = settings.payments
            for job in (
                payment_jobs.watch_sweep(service, section.sweep_s),
                payment_jobs.watch_balances(service, section.automatic_poll_s),
            ):
                run_until_closed(stack, job)
        yield PortalServing(url.origin, settings, context, server, service, api)


async def _admin_api(
    stack: AsyncExitStack, context: PortalContext, make_commands: MakeCommands | None
) -> ApiContext | None:
    if make_commands is None:
        return None
    from softix_proxy.web.admin_api.api_context import ApiContext

    commands = make_commands(lambda: context.settings)
    stack.push_async_callback(commands.close)
    return ApiContext(context.storage, context.vault, commands, context.settings, context.url, context.client_addresses)


def _context(instance: Instance, vault: Vault, hasher: PasswordHasher, url: PublicUrl) -> PortalContext:
    from softix_proxy.domain.core.clock import parse_zone
    from softix_proxy.exports.core.templates import HtmlTemplates
    from softix_proxy.exports.core.texts import texts
    from softix_proxy.web.portal.core.portal_context import PortalContext
    from softix_proxy.web.server.client_address import ClientAddresses

    settings, catalogue = instance.settings, texts()
    return PortalContext(
        storage=instance.storage,
        vault=vault,
        hasher=hasher,
        settings=settings,
        clock=instance.clock,
        templates=HtmlTemplates("portal", catalogue, parse_zone(settings.billing.zone)),
        texts=catalogue,
        url=url,
        client_addresses=ClientAddresses(settings.server.trusted_proxies),
        openid=open_id_provider(settings, instance.clock),
    )


def _tls(settings: Settings, url: PublicUrl) -> TlsContext | None:
    """Returns the TLS of the proxy's port for the portal's, without a demand for certificates of browsers.

    Raises BadInputError if the public URL is plain http all the same, and FailureError for unusable files.
    """
    from softix_proxy.web.server.tls import Certificate

    chain, key = settings.server.tls_cert, settings.server.tls_key
    if chain is None or key is None:
        return None
    if not url.is_https:
        raise BadInputError(
            "portal.public_url is plain http, and with server.tls_cert the portal speaks HTTPS",
            f"write https://{url.host}:{url.port}",
        )
    return Certificate(chain, key).context


def public_url(settings: Settings) -> PublicUrl:
    """Returns the public URL of the portal. Raises BadInputError if there is none."""
    from softix_proxy.domain.accounts.public_url import parse_public_url

    if settings.portal.public_url is None:
        raise BadInputError(
            "the portal has no address: portal.public_url is not set",
            'set the address that browsers use, for example: public_url = "https://portal.example.org"',
        )
    return parse_public_url(settings.portal.public_url)

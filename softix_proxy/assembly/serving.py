"""Everything that `softix serve` is made of, from the books up to the listening socket."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

from softix_proxy.assembly import mailing, webhook_delivery
from softix_proxy.assembly.background import run_until_closed
from softix_proxy.assembly.instance import Instance, open_instance, reaching

if TYPE_CHECKING:
    from softix_proxy.assembly.daemon import Serving
    from softix_proxy.assembly.portal_serving import MakeCommands, PortalServing
    from softix_proxy.domain.abuse.abuse_tally import AbuseTally
    from softix_proxy.domain.core.ids import RequestIds
    from softix_proxy.domain.instance.backups import BackupTally, MadeBackup
    from softix_proxy.domain.notices.delivery_tally import DeliveryTally
    from softix_proxy.domain.ports.storage import Storage
    from softix_proxy.domain.ports.vault import Vault
    from softix_proxy.operations.abuse.evaluation import AbuseWatch
    from softix_proxy.relay.batch.batches import Batches
    from softix_proxy.relay.core.live_directory import LiveDirectory
    from softix_proxy.relay.request.lifecycle import Lifecycle
    from softix_proxy.relay.routing.target_pool import TargetPool
    from softix_proxy.settings import Settings
    from softix_proxy.storage.sqlite.write_path.journal import SqliteJournal
    from softix_proxy.upstream.client import HttpUpstream
    from softix_proxy.upstream.websocket_client import ProviderWebSockets
    from softix_proxy.web.core.app_context import AppContext
    from softix_proxy.web.server.tls import Certificate


@asynccontextmanager
async def serving(settings: Settings, make_commands: MakeCommands | None = None) -> AsyncIterator[Serving]:
    """Starts everything that `softix serve` needs, from the ledger up to the listening socket.

    Raises FailureError if the port is taken, the master key is missing, or the database is newer than this program.
    """
    import random

    from softix_proxy.assembly.daemon import Serving
    from softix_proxy.domain.core.calendar import calendar
    from softix_proxy.jobs import recovery
    from softix_proxy.jobs.technical_data import SeenWriter
    from softix_proxy.operations.instance import zones
    from softix_proxy.relay.core.live_directory import LiveDirectory
    from softix_proxy.relay.routing.target_pool import BreakerSettings, TargetPool
    from softix_proxy.storage.sqlite.core.checkpointer import Checkpointer
    from softix_proxy.web.route_table import make_app
    from softix_proxy.web.server.http_server import HttpServer, ListenerSettings

    async with AsyncExitStack() as stack:
        instance = await stack.enter_async_context(open_instance(settings))
        instance.database.require_same_schema()
        vault = await instance.vault()
        checkpointer = Checkpointer(
            instance.database, settings.storage.checkpoint_pages, settings.storage.checkpoint_interval_s
        )
        stack.callback(checkpointer.close)
        journal = await stack.enter_async_context(instance.journal())
        await zones.apply(instance.storage, settings.billing.zone)
        await recovery.close_orphans(journal, settings.money.interrupted_charge, at_start=True)
        target_pool = TargetPool(instance.clock, BreakerSettings.of(settings.routing), random.randrange)
        directory = LiveDirectory(instance.storage)
        await directory.refresh()
        upstream, lines = await _upstream(stack, instance, vault, directory)
        tallies = _tallies()
        context = await _app_context(instance, vault, directory, journal, target_pool, upstream, lines, tallies)
        certificate = _certificate(settings)
        tls = None if certificate is None else certificate.context
        listening = ListenerSettings.of(settings.server, tls)
        server = HttpServer(make_app(context).handle, context, listening)
        if (port := settings.server.metrics_port) is not None:
            from softix_proxy.web.monitoring import metrics_listener

            stack.push_async_callback(await metrics_listener.listen(context, listening, settings.server, port))
        people = await _portal(stack, instance, vault, make_commands)
        seen = SeenWriter(context.lifecycle.seen, instance.storage, calendar(settings.billing.zone))
        url = await server.open()
        for job in (*_jobs(instance, journal, target_pool, context, tallies), seen.run()):
            run_until_closed(stack, job)
        stack.push_async_callback(seen.close)
        if mailing.is_wanted(settings):
            await stack.enter_async_context(mailing.sending(instance, vault))
        await stack.enter_async_context(webhook_delivery.delivering(instance, vault, tallies.deliveries))
        yield Serving(
            url, settings, server, context.lifecycle, target_pool, upstream, lines, certificate, context.monitor, people
        )


class _Tallies(NamedTuple):
    """What the jobs of this process count for the metrics."""

    deliveries: DeliveryTally
    abuse: AbuseTally
    backups: BackupTally


def _tallies() -> _Tallies:
    from softix_proxy.domain.abuse.abuse_tally import AbuseTally
    from softix_proxy.domain.instance.backups import BackupTally
    from softix_proxy.domain.notices.delivery_tally import DeliveryTally

    return _Tallies(DeliveryTally(), AbuseTally(), BackupTally())


def _jobs(
    instance: Instance, journal: SqliteJournal, target_pool: TargetPool, context: AppContext, tallies: _Tallies
) -> Iterator[Coroutine[Any, Any, None]]:
    """Yields what runs beside the requests until the daemon stops."""
    from softix_proxy.jobs import abuse, backups, batches, budget_alerts, recovery, target_health
    from softix_proxy.jobs.technical_data import watch_age

    settings, storage = instance.settings, instance.storage
    yield recovery.watch(journal, settings.money.interrupted_charge)
    yield target_health.watch(target_pool, storage, journal.slot)
    yield batches.watch(storage, lambda: context.batches().results, settings.upstream.batch_poll_s)
    yield budget_alerts.watch(storage)
    yield watch_age(storage, settings.retention.technical_days)
    yield abuse.watch(partial(_abuse_watch, instance, tallies.abuse))
    yield backups.watch(storage, _backup(instance), settings.backup.every_h, tallies.backups)


def _abuse_watch(instance: Instance, tally: AbuseTally) -> AbuseWatch:
    from softix_proxy.domain.accounts.principals import NOBODY
    from softix_proxy.operations.abuse.evaluation import AbuseWatch
    from softix_proxy.operations.access.door import Door

    storage = Door(instance.storage, NOBODY).recorded("abuse.watch")
    roles, countries = instance.settings.roles.table, instance.settings.abuse.countries
    if countries is None:
        return AbuseWatch(storage, roles, tally)
    from softix_proxy.imports.country_file import CountryFile

    return AbuseWatch(storage, roles, tally, CountryFile(countries).country_of)


async def _portal(
    stack: AsyncExitStack, instance: Instance, vault: Vault, make_commands: MakeCommands | None
) -> PortalServing | None:
    """Starts the portal if the settings say so. Otherwise nothing of it is imported."""
    if not instance.settings.portal.enabled:
        return None
    from softix_proxy.assembly.portal_serving import portal

    return await stack.enter_async_context(portal(instance, vault, make_commands))


async def _app_context(
    instance: Instance,
    vault: Vault,
    directory: LiveDirectory,
    journal: SqliteJournal,
    target_pool: TargetPool,
    upstream: HttpUpstream,
    lines: ProviderWebSockets,
    tallies: _Tallies,
) -> AppContext:
    from softix_proxy.domain.core.ids import RequestIds
    from softix_proxy.relay.core.policy import Policy
    from softix_proxy.relay.core.readiness import Readiness
    from softix_proxy.relay.core.seen_clients import SeenClients
    from softix_proxy.relay.realtime.sessions import Sessions
    from softix_proxy.relay.request.lifecycle import Lifecycle
    from softix_proxy.telemetry.metrics import Metrics, WriterStats
    from softix_proxy.web.core.app_context import AppContext
    from softix_proxy.web.core.body_budget import BodyBudget
    from softix_proxy.web.core.daemon_monitor import DaemonMonitor
    from softix_proxy.web.core.key_shares import KeyShares
    from softix_proxy.web.core.metrics_access import MetricsAccess
    from softix_proxy.web.server.client_address import ClientAddresses

    settings, storage = instance.settings, instance.storage
    seen = SeenClients()
    stats = partial(WriterStats.of, journal.writer)
    metrics = Metrics(lambda: stats(journal.trouble()), tallies.deliveries, seen.tally, tallies.abuse)
    metrics.backups, metrics.now_us = tallies.backups, instance.clock.now_us
    readiness = Readiness(directory, journal, instance.clock.monotonic_ns)
    lifecycle = Lifecycle(
        directory,
        journal,
        upstream,
        vault,
        instance.clock,
        metrics,
        Policy.of(settings.money, settings.upstream, settings.routing, settings.relay),
        target_pool,
        books=storage.reading,
        seen=seen,
    )
    lifecycle.abuse = tallies.abuse
    lifecycle.guesses.per_minute = settings.server.bad_keys_per_minute
    ids = RequestIds(journal.slot, await storage.reading().instance.last_request_id())
    return AppContext(
        lifecycle=lifecycle,
        storage=storage,
        monitor=DaemonMonitor(readiness.check, metrics.render, metrics.refused),
        sessions=Sessions(lifecycle, lines, ids),
        batches=cache(partial(_batches, lifecycle, storage, ids)),
        clock=instance.clock,
        ids=ids,
        client_addresses=ClientAddresses(settings.server.trusted_proxies),
        max_body_bytes=settings.server.max_body_bytes,
        body_timeout_s=settings.server.body_timeout_s,
        bodies=BodyBudget(settings.server.max_bodies_bytes),
        key_shares=KeyShares.of(settings.server),
        metrics_access=MetricsAccess.of(settings.server),
    )


def _backup(instance: Instance) -> Callable[[], MadeBackup] | None:
    """Returns what makes a backup by the settings, or None if there is no folder for backups."""
    section = instance.settings.backup
    if section.folder is None:
        return None
    from softix_proxy.assembly.backups import back_up
    from softix_proxy.domain.instance.backups import Retention

    keep = Retention.parse(section.keep)
    return partial(back_up, instance, section.folder, encrypt=section.encrypt, keep=keep)


def _batches(lifecycle: Lifecycle, storage: Storage, ids: RequestIds) -> Batches:
    from softix_proxy.relay.batch.batches import Batches
    from softix_proxy.relay.batch.results import Results

    return Batches(lifecycle, storage, ids, Results(lifecycle, storage))


async def _upstream(
    stack: AsyncExitStack, instance: Instance, vault: Vault, directory: LiveDirectory
) -> tuple[HttpUpstream, ProviderWebSockets]:
    from softix_proxy.domain.catalog.providers import ProviderType

    settings, bases = instance.settings, {}
    if settings.demo.enabled or any(p.type is ProviderType.DEMO for p in directory.current.providers.values()):
        from softix_proxy.demo import server as demo

        local = await demo.start(tokens_per_s=settings.demo.tokens_per_s)
        stack.push_async_callback(local.close)
        bases[ProviderType.DEMO] = local.base_url
    from softix_proxy.upstream.client import UpstreamLimits
    from softix_proxy.upstream.websocket_client import ProviderWebSockets

    upstream = await stack.enter_async_context(reaching(instance, vault, bases))
    lines = ProviderWebSockets(
        vault, UpstreamLimits.of(settings.upstream), settings.upstream.ca_file, bases, instance.clock
    )
    stack.push_async_callback(lines.close)
    return upstream, lines


def _certificate(settings: Settings) -> Certificate | None:
    from softix_proxy.web.server.tls import Certificate

    chain, key = settings.server.tls_cert, settings.server.tls_key
    return Certificate(chain, key, settings.server.tls_client_ca) if chain and key else None

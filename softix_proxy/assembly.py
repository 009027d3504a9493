"""Wires the packages together and names the adapters. It imports late, so that `softix --help` is quick."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from softix_proxy.domain.core.clock import Clock, SystemClock
from softix_proxy.domain.core.errors import FailureError

if TYPE_CHECKING:
    from softix_proxy.daemon import Serving
    from softix_proxy.doctor.check_context import CheckContext
    from softix_proxy.domain.catalog.providers import ProviderType
    from softix_proxy.domain.core.ids import RequestIds
    from softix_proxy.domain.instance.migrations import Migrated, MigrationPlan
    from softix_proxy.domain.ports.storage import Storage
    from softix_proxy.domain.ports.vault import MasterKeys, Vault
    from softix_proxy.relay.batch.batches import Batches
    from softix_proxy.relay.core.live_directory import LiveDirectory
    from softix_proxy.relay.request.lifecycle import Lifecycle
    from softix_proxy.relay.routing.target_pool import TargetPool
    from softix_proxy.settings import Effective, Settings
    from softix_proxy.storage.sqlite.core.database import Database
    from softix_proxy.storage.sqlite.write_path.journal import SqliteJournal
    from softix_proxy.upstream.client import HttpUpstream
    from softix_proxy.upstream.websocket_client import ProviderWebSockets
    from softix_proxy.vault.master_key_store import MasterKeyStore
    from softix_proxy.web.core.app_context import AppContext
    from softix_proxy.web.server.tls import Certificate


def read_settings(config: Path | None, data_dir: Path | None) -> Settings:
    """Reads the settings from the file, the environment and the defaults. Raises BadInputError."""
    from softix_proxy import settings

    return settings.load(config, data_dir, os.environ)


def effective_settings(settings: Settings) -> list[Effective]:
    """Returns each value with its source. Secrets are not among them."""
    from softix_proxy.settings import effective

    return list(effective(settings, os.environ))


def is_signed(public_key: str, message: bytes, signature: bytes) -> bool:
    from softix_proxy.vault import signatures

    return signatures.is_signed(public_key, message, signature)


@dataclass
class Instance:
    """An opened instance for commands: its ledger, its vault and its settings."""

    settings: Settings
    storage: Storage
    clock: Clock
    database: Database

    async def vault(self) -> Vault:
        """Opens the vault with the master key. Raises FailureError if the key is missing or not this instance's."""
        from softix_proxy.operations.instance import instance as instance_operations

        return self.master_keys().open(await instance_operations.require_identity(self.storage.reading()))

    def master_keys(self) -> MasterKeys:
        return _keeper(self.settings)

    def journal(self) -> AbstractAsyncContextManager[SqliteJournal]:
        """Opens the journal of this process, under a slot of its own. Raises FailureError."""
        from softix_proxy.storage.sqlite.write_path import journal

        return journal.opened(self.database, self.clock)


def _keeper(settings: Settings) -> MasterKeyStore:
    from softix_proxy.vault.master_key import MasterKeySources
    from softix_proxy.vault.master_key_store import MasterKeyStore

    return MasterKeyStore(MasterKeySources(settings.paths.master_key, settings.master_key.command, os.environ))


@dataclass(frozen=True, slots=True)
class Initialised:
    """An instance that can be served, and what was created for it just now."""

    data_dir: Path
    database: Path
    master_key: str
    """The file of the master key, or a description of its source."""
    made: tuple[str, ...]
    migration_pending: bool = False


async def initialise(settings: Settings) -> Initialised:
    """Creates the data directory, the database and the master key if they are missing. Changes nothing that exists.

    Raises FailureError if the folder is unusable, or the database's master key is missing or another one.
    """
    from softix_proxy.operations.instance import instance as instance_operations
    from softix_proxy.operations.instance import zones
    from softix_proxy.storage.sqlite.core import upgrade

    paths, made = settings.paths, []
    try:
        if not paths.data_dir.is_dir():
            paths.data_dir.mkdir(mode=0o700, parents=True)
            made.append("data_dir")
    except OSError as error:
        raise FailureError(
            f"cannot make {paths.data_dir}: {error.strerror}", "name another place with --data-dir"
        ) from None
    database, keeper, pending = _database(settings), _keeper(settings), False
    if not paths.database.exists():
        database.create()
        made.append("database")
    elif database.version():
        pending = bool(upgrade.plan(database).steps)
    else:
        database.create()
    if not pending:
        async with open_instance(settings) as instance:
            if await instance_operations.identity(instance.storage.reading()) is not None:
                await instance.vault()
            else:
                if keeper.create():
                    made.append("master_key")
                await instance_operations.record(instance.storage, keeper.new_identity())
                await zones.apply(instance.storage, settings.billing.zone)
    source = keeper.source() or ""
    master_key = str(paths.master_key) if source == "file" else source
    return Initialised(paths.data_dir, paths.database, master_key, tuple(made), pending)


def migration_plan(settings: Settings, backup_dir: Path | None = None) -> MigrationPlan:
    """Returns the pending migrations. Raises FailureError if the database is missing, or too new for this program."""
    from softix_proxy.storage.sqlite.core import upgrade

    return upgrade.plan(_database(settings), backup_dir)


def needs_migration(settings: Settings) -> bool:
    """Returns whether a migration is pending. Raises FailureError if the database is missing, or too new."""
    from softix_proxy.storage.sqlite.core import migrations

    return bool(migrations.pending(_database(settings).version()))


def migrate(settings: Settings, backup_dir: Path | None = None) -> Migrated:
    """Migrates the database. It blocks. Raises FailureError, and then nothing was changed."""
    from softix_proxy.storage.sqlite.core import upgrade

    return upgrade.migrate(_database(settings), backup_dir)


def _database(settings: Settings) -> Database:
    from softix_proxy.storage.sqlite.core.database import Database

    return Database(settings.paths.database, SystemClock(), settings.storage.busy_timeout_ms)


@asynccontextmanager
async def open_instance(settings: Settings) -> AsyncIterator[Instance]:
    """Opens an instance. Raises FailureError if the database is missing, too new, too old, or unreadable."""
    from softix_proxy.storage.sqlite.unit import SqliteStorage

    database = await _database(settings).open()
    try:
        yield Instance(settings, SqliteStorage(database), database.clock, database)
    finally:
        await database.close()


_GC_THRESHOLDS = (20_000, 20, 20)
"""A request creates hundreds of objects and no cycles. Python's default would collect after every two requests."""


def prepare_process(settings: Settings) -> None:
    """Prepares this process for serving.

    It logs without content, forbids core dumps (they would contain requests), raises the limit of open files as far as
    allowed, and makes garbage collections rare.
    """
    from softix_proxy.domain.instance import open_files
    from softix_proxy.telemetry import dumps, logs
    from softix_proxy.upstream import tls_defaults

    tls_defaults.import_aiohttp()
    open_files.raise_limit()
    logs.set_up(settings.log.level, settings.log.format, settings.log.file)
    dumps.forbid()
    gc.set_threshold(*_GC_THRESHOLDS)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Returns uvloop's loop factory if it is installed, and None for Python's own."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Serving]:
    """Starts everything that `softix serve` needs, from the ledger up to the listening socket.

    Raises FailureError if the port is taken, the master key is missing, or the database is newer than this program.
    """
    import random

    from softix_proxy.daemon import Serving
    from softix_proxy.jobs import batches, recovery, target_health
    from softix_proxy.operations.instance import zones
    from softix_proxy.relay.core.live_directory import LiveDirectory
    from softix_proxy.relay.routing.target_pool import BreakerSettings, TargetPool
    from softix_proxy.storage.sqlite.core.checkpointer import Checkpointer
    from softix_proxy.web.route_table import make_app
    from softix_proxy.web.server.http_server import HttpServer, ListenerSettings

    async with AsyncExitStack() as stack:
        instance = await stack.enter_async_context(open_instance(settings))
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
        context = await _app_context(instance, vault, directory, journal, target_pool, upstream, lines)
        certificate = _certificate(settings)
        tls = None if certificate is None else certificate.listening_context()
        listening = ListenerSettings.of(settings.server, tls)
        server = HttpServer(make_app(context).handle, context, listening)
        if (port := settings.server.metrics_port) is not None:
            from softix_proxy.web.monitoring import metrics_listener

            stack.push_async_callback(await metrics_listener.listen(context, listening, settings.server, port))
        url = await server.open()
        for job in (
            recovery.watch(journal, settings.money.interrupted_charge),
            target_health.watch(target_pool, instance.storage, journal.slot),
            batches.watch(instance.storage, lambda: context.batches().results, settings.upstream.batch_poll_s),
        ):
            stack.push_async_callback(_ended, asyncio.create_task(job))
        yield Serving(url, settings, server, context.lifecycle, target_pool, upstream, lines, certificate)


async def _ended(task: asyncio.Task[None]) -> None:
    """Cancels the task and waits for its end, because what it uses is about to be closed."""
    task.cancel()
    await asyncio.wait([task])


async def _app_context(
    instance: Instance,
    vault: Vault,
    directory: LiveDirectory,
    journal: SqliteJournal,
    target_pool: TargetPool,
    upstream: HttpUpstream,
    lines: ProviderWebSockets,
) -> AppContext:
    from softix_proxy.domain.core.ids import RequestIds
    from softix_proxy.relay.core.policy import Policy
    from softix_proxy.relay.core.readiness import Readiness
    from softix_proxy.relay.realtime.sessions import Sessions
    from softix_proxy.relay.request.lifecycle import Lifecycle
    from softix_proxy.telemetry.metrics import Metrics, WriterStats
    from softix_proxy.web.core.app_context import AppContext
    from softix_proxy.web.core.daemon_monitor import DaemonMonitor
    from softix_proxy.web.core.metrics_access import MetricsAccess
    from softix_proxy.web.server.client_address import ClientAddresses

    settings, storage = instance.settings, instance.storage
    metrics = Metrics(lambda: WriterStats.of(journal.writer, journal.trouble()))
    policy = Policy.of(settings.money, settings.upstream, settings.routing)
    lifecycle = Lifecycle(directory, journal, upstream, vault, instance.clock, metrics, policy, target_pool)
    ids = RequestIds(journal.slot, await storage.reading().instance.last_request_id())

    return AppContext(
        lifecycle=lifecycle,
        storage=storage,
        monitor=DaemonMonitor(Readiness(directory, journal).check, metrics.render, metrics.refused),
        sessions=Sessions(lifecycle, lines, ids),
        batches=cache(partial(_batches, lifecycle, storage, ids)),
        clock=instance.clock,
        ids=ids,
        client_addresses=ClientAddresses(settings.server.trusted_proxies),
        max_body_bytes=settings.server.max_body_bytes,
        body_timeout_s=settings.server.body_timeout_s,
        metrics_access=MetricsAccess.of(settings.server),
    )


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


@asynccontextmanager
async def reaching(
    instance: Instance, vault: Vault, bases: Mapping[ProviderType, str] | None = None
) -> AsyncIterator[HttpUpstream]:
    """Opens the client to providers. `bases` are the addresses of types that have none. Raises FailureError."""
    from softix_proxy.upstream.client import HttpUpstream, UpstreamLimits

    settings = instance.settings
    upstream = HttpUpstream(
        vault, UpstreamLimits.of(settings.upstream), settings.upstream.ca_file, bases, instance.clock
    )
    try:
        yield upstream
    finally:
        await upstream.close()


def _certificate(settings: Settings) -> Certificate | None:
    from softix_proxy.web.server.tls import Certificate

    chain, key = settings.server.tls_cert, settings.server.tls_key
    return Certificate(chain, key) if chain and key else None


_DAEMON_TIMEOUT_S = 3


@asynccontextmanager
async def patient(settings: Settings, *, offline: bool) -> AsyncIterator[CheckContext]:
    """Opens the context for the doctor. It opens even a damaged database, only reads, and migrates nothing."""
    from softix_proxy.doctor.check_context import CheckContext
    from softix_proxy.storage.sqlite.instance.inspection import DatabaseInspection, ReadOnlyDatabase
    from softix_proxy.storage.sqlite.unit import SqliteStorage
    from softix_proxy.upstream.probe import fetch

    clock = SystemClock()
    database = ReadOnlyDatabase(settings.paths.database, clock, settings.storage.busy_timeout_ms)
    await database.open()
    try:
        yield CheckContext(
            settings=settings,
            storage=SqliteStorage(database),
            health=DatabaseInspection(database),
            keys=_keeper(settings),
            clock=clock,
            fetch=None if offline else partial(fetch, ca_file=settings.upstream.ca_file),
            daemon=partial(fetch, timeout_s=_DAEMON_TIMEOUT_S, verify=False),
        )
    finally:
        await database.close()

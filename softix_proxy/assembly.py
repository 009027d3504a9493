"""The one place that wires rooms together and names adapters. Imports late, so that `softix --help` is quick."""

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

from softix_proxy.domain.clock import Clock, SystemClock
from softix_proxy.domain.errors import FailureError

if TYPE_CHECKING:
    from softix_proxy.doctor.patient import Patient
    from softix_proxy.domain.ids import RequestIds
    from softix_proxy.domain.ports import Storage
    from softix_proxy.domain.providers import ProviderType
    from softix_proxy.domain.vault import MasterKeys, Vault
    from softix_proxy.relay.batches import Batches
    from softix_proxy.relay.fleet import Fleet
    from softix_proxy.relay.lifecycle import Lifecycle
    from softix_proxy.relay.live_directory import LiveDirectory
    from softix_proxy.settings import Effective, Settings
    from softix_proxy.storage.database import Database
    from softix_proxy.storage.hot_path import Journal
    from softix_proxy.telemetry.metrics import Books
    from softix_proxy.upstream.client import HttpUpstream, Limits
    from softix_proxy.upstream.lines import SocketLines
    from softix_proxy.vault.keeper import Keeper
    from softix_proxy.web.app import App
    from softix_proxy.web.server import Listening, Server


def read_settings(config: Path | None, data_dir: Path | None) -> Settings:
    """From the file, the environment and the defaults. Raises BadInputError."""
    from softix_proxy import settings

    return settings.load(config, data_dir, os.environ)


def effective_settings(settings: Settings) -> list[Effective]:
    """Each value with its source; no secrets."""
    from softix_proxy.settings import effective

    return list(effective(settings, os.environ))


def is_signed(public_key: str, message: bytes, signature: bytes) -> bool:
    from softix_proxy.vault import signatures

    return signatures.is_signed(public_key, message, signature)


@dataclass
class Office:
    """An opened instance, for commands: its books, its vault, its settings."""

    settings: Settings
    storage: Storage
    clock: Clock
    database: Database

    async def vault(self) -> Vault:
        """Opens with the master key. Raises FailureError where it is missing or not this instance's."""
        from softix_proxy.operations import instance

        return self.master_keys().open(await instance.require_identity(self.storage.reading()))

    def master_keys(self) -> MasterKeys:
        return _keeper(self.settings)

    def journal(self) -> AbstractAsyncContextManager[Journal]:
        """The books of this process, under a slot of its own. Raises FailureError."""
        from softix_proxy.storage import hot_path

        return hot_path.opened(self.database, self.clock)


def _keeper(settings: Settings) -> Keeper:
    from softix_proxy.vault.keeper import Keeper
    from softix_proxy.vault.master_key import Sources

    return Keeper(Sources(settings.paths.master_key, settings.master_key.command, os.environ))


@dataclass(frozen=True, slots=True)
class Initialised:
    """An instance that can be served, and what was made for it just now."""

    data_dir: Path
    database: Path
    master_key: str
    """Its file, or in words where it comes from."""
    made: tuple[str, ...]


async def initialise(settings: Settings) -> Initialised:
    """Makes what is missing of the data directory, the database and the master key; changes nothing that is there.

    Raises FailureError where the folder cannot be used, or the database's master key is missing or another one.
    """
    from softix_proxy.operations import instance, zones
    from softix_proxy.storage.database import Database

    paths, made = settings.paths, []
    try:
        if not paths.data_dir.is_dir():
            paths.data_dir.mkdir(mode=0o700, parents=True)
            made.append("data_dir")
    except OSError as error:
        raise FailureError(
            f"cannot make {paths.data_dir}: {error.strerror}", "name another place with --data-dir"
        ) from None
    if not paths.database.exists():
        Database(paths.database, SystemClock(), settings.storage.busy_timeout_ms).create()
        made.append("database")
    keeper = _keeper(settings)
    async with open_office(settings) as office:
        if await instance.identity(office.storage.reading()) is not None:
            await office.vault()
        else:
            if keeper.create():
                made.append("master_key")
            await instance.record(office.storage, keeper.new_identity())
            await zones.apply(office.storage, settings.billing.zone)
    source = keeper.source() or ""
    return Initialised(
        paths.data_dir, paths.database, str(paths.master_key) if source == "file" else source, tuple(made)
    )


@asynccontextmanager
async def open_office(settings: Settings) -> AsyncIterator[Office]:
    """Raises FailureError where there is no database, or it is too new or cannot be read."""
    from softix_proxy.storage.database import Database
    from softix_proxy.storage.storage import SqliteStorage

    clock = SystemClock()
    database = await Database(settings.paths.database, clock, settings.storage.busy_timeout_ms).open()
    try:
        yield Office(settings, SqliteStorage(database), clock, database)
    finally:
        await database.close()


_GC_THRESHOLDS = (20_000, 20, 20)
"""A request makes hundreds of objects, which die with it and in no cycle: Python's default looks after each two."""


def prepare_process(settings: Settings) -> None:
    """Logs without content, no core dumps (they would hold what passes through), and few collections of garbage."""
    from softix_proxy.telemetry import dumps, logs

    logs.set_up(settings.log.level, settings.log.format)
    dumps.forbid()
    gc.set_threshold(*_GC_THRESHOLDS)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's where it is installed; None for Python's own."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


@dataclass(frozen=True, slots=True)
class Serving:
    """A daemon that accepts requests."""

    url: str
    server: Server

    async def stop(self, drain_s: float, now: asyncio.Event) -> int:
        """Returns how many requests were cut; all are settled."""
        return await self.server.close(drain_s, now)


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Serving]:
    """Everything that `softix serve` is made of, from the books up to the listening socket.

    Raises FailureError where the port is taken, the master key is missing, the database is newer than this program.
    """
    from softix_proxy.jobs import batches, recovery, target_health
    from softix_proxy.operations import zones
    from softix_proxy.storage.checkpointer import Checkpointer
    from softix_proxy.web.server import Server

    async with AsyncExitStack() as stack:
        office = await stack.enter_async_context(open_office(settings))
        vault = await office.vault()
        checkpointer = Checkpointer(
            office.database, settings.storage.checkpoint_pages, settings.storage.checkpoint_interval_s
        )
        stack.callback(checkpointer.close)
        journal = await stack.enter_async_context(office.journal())
        await zones.apply(office.storage, settings.billing.zone)
        await recovery.close_orphans(journal, settings.money.interrupted_charge, at_start=True)
        fleet = _fleet(settings, office.clock)
        app = await _app(stack, office, vault, journal, fleet)
        server = Server(app, _listening(settings))
        url = await server.open()
        for job in (
            recovery.watch(journal, settings.money.interrupted_charge),
            target_health.watch(fleet, office.storage, journal.slot),
            batches.watch(office.storage, lambda: app.house.batches().results, settings.upstream.batch_poll_s),
        ):
            stack.push_async_callback(_ended, asyncio.create_task(job))
        yield Serving(url, server)


async def _ended(task: asyncio.Task[None]) -> None:
    """Waited for: what it uses is about to be closed."""
    task.cancel()
    await asyncio.wait([task])


async def _app(stack: AsyncExitStack, office: Office, vault: Vault, journal: Journal, fleet: Fleet) -> App:
    from softix_proxy.domain.ids import RequestIds
    from softix_proxy.relay.lifecycle import Lifecycle
    from softix_proxy.relay.live_directory import LiveDirectory
    from softix_proxy.relay.policy import Policy
    from softix_proxy.relay.sessions import Sessions
    from softix_proxy.telemetry.metrics import Metrics
    from softix_proxy.web.addresses import Addresses
    from softix_proxy.web.app import App
    from softix_proxy.web.monitor import Monitor
    from softix_proxy.web.visit import House

    settings, storage = office.settings, office.storage
    metrics = Metrics(lambda: _books(journal))
    directory = LiveDirectory(storage)
    await directory.refresh()
    policy = Policy(
        least_output_tokens=settings.money.least_output_tokens,
        interrupted_charge=settings.money.interrupted_charge,
        drain_limit_s=settings.upstream.drain_limit_s,
        drain_limit_bytes=settings.upstream.drain_limit_bytes,
        charge_failed_attempts=settings.money.charge_failed_attempts,
        fallback_by_name=settings.routing.fallback_by_name,
        retries=settings.routing.retries,
        most_attempts=settings.routing.most_attempts,
    )
    upstream, lines = await _upstream(stack, office, vault, directory)
    lifecycle = Lifecycle(directory, journal, upstream, vault, office.clock, metrics, policy, fleet)
    ids = RequestIds(journal.slot, await storage.reading().usage.last_request_id())

    async def check() -> str | None:
        try:
            await directory.refresh()
        except FailureError:
            return "the books cannot be read"
        return "the books cannot be written" if journal.is_stuck() else None

    return App(
        house=House(
            lifecycle,
            storage,
            Monitor(check, metrics.render, metrics.refused),
            Sessions(lifecycle, lines, ids),
            cache(partial(_batches, lifecycle, storage, ids)),
        ),
        clock=office.clock,
        ids=ids,
        addresses=Addresses(settings.server.trusted_proxies),
        max_body_bytes=settings.server.max_body_bytes,
        body_timeout_s=settings.server.body_timeout_s,
    )


def _batches(lifecycle: Lifecycle, storage: Storage, ids: RequestIds) -> Batches:
    from softix_proxy.relay.batch_results import Results
    from softix_proxy.relay.batches import Batches

    return Batches(lifecycle, storage, ids, Results(lifecycle, storage))


def _fleet(settings: Settings, clock: Clock) -> Fleet:
    import random

    from softix_proxy.domain.clock import SECOND_US
    from softix_proxy.relay.fleet import Care, Fleet

    care = Care(
        settings.routing.breaker_failures,
        int(settings.routing.breaker_pause_s * SECOND_US),
        int(settings.routing.key_pause_s * SECOND_US),
    )
    return Fleet(clock, care, random.randrange)


async def _upstream(
    stack: AsyncExitStack, office: Office, vault: Vault, directory: LiveDirectory
) -> tuple[HttpUpstream, SocketLines]:
    from softix_proxy.domain.providers import ProviderType

    settings, bases = office.settings, {}
    if settings.demo.enabled or any(p.type is ProviderType.DEMO for p in directory.current.providers.values()):
        from softix_proxy.demo import server as demo

        local = await demo.start(tokens_per_s=settings.demo.tokens_per_s)
        stack.push_async_callback(local.close)
        bases[ProviderType.DEMO] = local.base_url
    from softix_proxy.upstream.lines import SocketLines

    upstream = await stack.enter_async_context(reaching(office, vault, bases))
    lines = SocketLines(vault, _limits(settings), settings.upstream.ca_file, bases, office.clock)
    stack.push_async_callback(lines.close)
    return upstream, lines


@asynccontextmanager
async def reaching(
    office: Office, vault: Vault, bases: Mapping[ProviderType, str] | None = None
) -> AsyncIterator[HttpUpstream]:
    """The way to providers; `bases` are the addresses of types that have none of their own. Raises FailureError."""
    from softix_proxy.upstream.client import HttpUpstream

    settings = office.settings
    upstream = HttpUpstream(vault, _limits(settings), settings.upstream.ca_file, bases, office.clock)
    try:
        yield upstream
    finally:
        await upstream.close()


def _limits(settings: Settings) -> Limits:
    from softix_proxy.upstream.client import Limits

    return Limits(
        connect_timeout_s=settings.upstream.connect_timeout_s,
        first_byte_timeout_s=settings.upstream.first_byte_timeout_s,
        idle_timeout_s=settings.upstream.idle_timeout_s,
        connect_retries=settings.upstream.connect_retries,
        connections_per_provider=settings.upstream.max_connections_per_provider,
        share_connections=settings.upstream.share_connections,
    )


def _listening(settings: Settings) -> Listening:
    from softix_proxy.web.server import Listening
    from softix_proxy.web.tls import Certificate

    where = settings.server
    certificate = Certificate(where.tls_cert, where.tls_key) if where.tls_cert and where.tls_key else None
    return Listening(
        host=where.host,
        port=where.port,
        tls=certificate.listening_context() if certificate else None,
        tls_handshake_timeout_s=where.tls_handshake_timeout_s,
        header_timeout_s=where.header_timeout_s,
        write_timeout_s=where.write_timeout_s,
        max_connections=where.max_connections,
    )


def _books(journal: Journal) -> Books:
    from softix_proxy.telemetry.metrics import Books

    tally, second_ns = journal.writer.tally, 1_000_000_000
    return Books(
        queue_depth=journal.writer.depth,
        commits=tally.commits,
        commit_seconds=tally.commit_ns / second_ns,
        longest_commit_seconds=tally.longest_commit_ns / second_ns,
        rows=tally.rows,
        failures=tally.failures,
        clock_jumps=tally.clock_jumps,
    )


@asynccontextmanager
async def patient(settings: Settings, *, offline: bool) -> AsyncIterator[Patient]:
    """For the doctor: opens whatever is damaged, and only reads; nothing is migrated."""
    from softix_proxy.doctor.patient import Patient
    from softix_proxy.storage.health import Health, ReadOnlyDatabase
    from softix_proxy.storage.storage import SqliteStorage
    from softix_proxy.upstream.probe import fetch

    clock = SystemClock()
    database = ReadOnlyDatabase(settings.paths.database, clock, settings.storage.busy_timeout_ms)
    await database.open()
    try:
        yield Patient(
            settings=settings,
            storage=SqliteStorage(database),
            health=Health(database),
            keys=_keeper(settings),
            clock=clock,
            fetch=None if offline else partial(fetch, ca_file=settings.upstream.ca_file),
        )
    finally:
        await database.close()

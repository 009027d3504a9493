"""A real server on a real database; the provider and the hot path's books are played."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from support.books import StoppedClock, make_database
from support.playbook import Journal, Telemetry, Ticking, Upstream
from support.talk import Lines

from softix_proxy.domain.core.errors import Code
from softix_proxy.domain.core.ids import RequestIds
from softix_proxy.domain.instance.readiness import Trouble
from softix_proxy.relay.batch.batches import Batches
from softix_proxy.relay.batch.results import Results
from softix_proxy.relay.core.live_directory import LiveDirectory
from softix_proxy.relay.core.policy import Policy
from softix_proxy.relay.realtime.sessions import Sessions
from softix_proxy.relay.request.lifecycle import Lifecycle
from softix_proxy.relay.routing.target_pool import BreakerSettings, TargetPool
from softix_proxy.storage.sqlite.unit import SqliteStorage
from softix_proxy.web.core.app_context import AppContext
from softix_proxy.web.core.daemon_monitor import DaemonMonitor
from softix_proxy.web.route_table import make_app
from softix_proxy.web.server.client_address import ClientAddresses
from softix_proxy.web.server.http_server import HttpServer, ListenerSettings

FREE = "INSERT INTO prices VALUES (1, 1, NULL, 'operator', '{\"free\": true}', 1, 1, 0)"


class Vault:
    """Knows the two keys of `support.books`."""

    def digest(self, text: str) -> bytes | None:
        return {"ada": b"\x01", "bob": b"\x02"}.get(text)

    def tag(self, key_id: int, text: str) -> str:
        return f"tag-{key_id}-{text}"


@dataclass
class Place:
    context: AppContext
    server: HttpServer
    upstream: Upstream
    journal: Journal
    storage: SqliteStorage
    refusals: list[tuple[str, Code]]
    session: aiohttp.ClientSession
    url: str = ""
    unready: Trouble | None = None

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    async def ask(self, method: str, path: str, key: str | None = "ada", **options: Any) -> tuple[int, Any, Any]:
        """Status, headers and JSON (or text)."""
        headers = {**({} if key is None else {"authorization": f"Bearer {key}"}), **options.pop("headers", {})}
        async with self.session.request(method, self.url + path, headers=headers, **options) as answer:
            body = await answer.text()
            is_json = answer.content_type == "application/json" and body
            return answer.status, answer.headers, (await answer.json() if is_json else body)


Open = Callable[..., contextlib.AbstractAsyncContextManager[Place]]


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    """`async with opened(max_connections=1) as place`: settings of `ListenerSettings` and of `AppContext`."""

    @contextlib.asynccontextmanager
    async def opened(**changes: Any) -> AsyncIterator[Place]:
        database = await make_database(tmp_path).open()
        async with database.transaction() as session:
            await session.run(FREE)
        storage, journal, upstream, refusals = SqliteStorage(database), Journal(), Upstream(), list[tuple[str, Code]]()
        lifecycle = Lifecycle(
            LiveDirectory(storage),
            journal,  # type: ignore[arg-type]
            upstream,
            Vault(),  # type: ignore[arg-type]
            Ticking(),
            Telemetry(),
            Policy(16, "nothing", 5.0, 1_000_000),
            TargetPool(StoppedClock(), BreakerSettings(), lambda most: 0),
            books=storage.reading,
        )

        @cache
        def batches() -> Batches:
            return Batches(lifecycle, storage, RequestIds(0), Results(lifecycle, storage))

        async def check() -> Trouble | None:
            return place.unready

        monitor = DaemonMonitor(
            check, lambda: b"softix_up 1\n", lambda endpoint, code: refusals.append((endpoint, code))
        )
        context = AppContext(
            lifecycle=lifecycle,
            storage=storage,
            monitor=monitor,
            sessions=Sessions(lifecycle, Lines(), RequestIds(0)),
            batches=batches,
            clock=Ticking(),
            ids=RequestIds(0),
            client_addresses=ClientAddresses(changes.pop("trusted", ())),
            max_body_bytes=changes.pop("max_body_bytes", 1_000_000),
            body_timeout_s=changes.pop("body_timeout_s", 5.0),
        )
        listening = ListenerSettings(**{**_LISTENING, **changes})
        server = HttpServer(make_app(context).handle, context, listening)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False)) as client:
            place = Place(context, server, upstream, journal, storage, refusals, client)
            place.url = await server.open()
            try:
                yield place
            finally:
                await server.close(0, asyncio.Event())
                await database.close()

    return opened


_LISTENING: dict[str, Any] = {
    "host": "127.0.0.1",
    "port": 0,
    "tls": None,
    "tls_handshake_timeout_s": 5,
    "header_timeout_s": 5,
    "write_timeout_s": 5,
    "max_connections": 100,
}


@pytest.fixture
async def place(opened: Open) -> AsyncIterator[Place]:
    async with opened() as found:
        yield found

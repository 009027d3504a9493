"""Batches over real books, with a provider that says what a test tells it to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from support.books import StoppedClock, make_database

from softix_proxy.dialects.core.base import RequestSpec
from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.domain.catalog.models import Model
from softix_proxy.domain.core.ids import RequestIds
from softix_proxy.domain.metering.batches import OpenLine
from softix_proxy.domain.metering.settlement import InterruptedCharge
from softix_proxy.domain.ports.upstream import UpstreamRequest
from softix_proxy.relay.batch.batch_request import BatchRequest
from softix_proxy.relay.batch.batches import Asked, Batches
from softix_proxy.relay.batch.provider_account import Account
from softix_proxy.relay.batch.results import Results
from softix_proxy.relay.core.inbound import Client
from softix_proxy.relay.core.live_directory import LiveDirectory
from softix_proxy.relay.core.plan import Caller
from softix_proxy.relay.core.policy import Policy
from softix_proxy.relay.request.lifecycle import Lifecycle
from softix_proxy.relay.routing.target_pool import BreakerSettings, TargetPool
from softix_proxy.relay.stored_objects.resource_request import ResourceRequest
from softix_proxy.relay.stored_objects.service import serve
from softix_proxy.storage.sqlite.unit import SqliteStorage
from softix_proxy.storage.sqlite.write_path.journal import SqliteJournal

SHEET = (
    '{"bands": [{"prices": {"input": "1", "output": "2"}},'
    ' {"service_tier": "batch", "prices": {"input": "0.5", "output": "1"}}]}'
)
SLOT = 3


class Answer:
    secret: str | None = None
    is_stream = False
    headers: tuple[tuple[str, str], ...] = ()

    def __init__(self, status: int, *chunks: bytes) -> None:
        self.status = status
        self.left = list(chunks)
        self.released = False

    async def read(self, limit_bytes: int) -> bytes:
        left, self.left = b"".join(self.left), []
        return left

    async def chunk(self) -> bytes:
        return self.left.pop(0) if self.left else b""

    def release(self) -> None:
        self.released = True


@dataclass
class Provider:
    """Answers by the path's end; an exception is raised once the request was seen."""

    says: dict[str, Answer | BaseException] = field(default_factory=dict)
    calls: list[UpstreamRequest] = field(default_factory=list)
    make: type[Answer] = Answer
    """Of which class each answer is."""

    async def send(self, call: UpstreamRequest, sending: Callable[[], None]) -> Any:
        self.calls.append(call)
        sending()
        found = next(answer for end, answer in self.says.items() if call.path.endswith(end))
        if isinstance(found, BaseException):
            raise found
        answer = self.make(found.status, *found.left)
        answer.headers, answer.secret = found.headers, found.secret
        return answer


class Vault:
    """Knows the two keys of `support.books`."""

    def digest(self, text: str) -> bytes | None:
        return {"ada": b"\x01", "bob": b"\x02"}.get(text)

    def tag(self, key_id: int, text: str) -> str:
        return f"tag-{key_id}-{text}"


@dataclass
class House:
    batches: Batches
    results: Results
    storage: SqliteStorage
    provider: Provider
    database: Any
    clock: StoppedClock
    told: list[Any] = field(default_factory=list)

    @property
    def caller(self) -> Caller:
        directory = self.batches.lifecycle.directory.current
        [key] = [key for key in directory.keys.values() if key.user_id == 1]
        return Caller(directory.users[1], key)

    @property
    def model(self) -> Model:
        return self.batches.lifecycle.directory.current.models[1]

    @property
    def account(self) -> Account:
        return Account(self.batches.lifecycle.directory.current.providers[1], None)

    async def asked(self, *names: str, endpoint: str = "chat_completions") -> list[Asked]:
        ask = RequestSpec(model="llama", max_output_tokens=10)
        reads = [BatchRequest(name, ENDPOINTS[endpoint], ask, 100) for name in names]
        return await self.batches.plan(self.caller, reads, lambda name: self.model)

    def rows(self) -> list[tuple[Any, ...]]:
        connection = self.database.connect()
        try:
            found: list[tuple[Any, ...]] = connection.execute(
                "SELECT source, status_code, error, charge_pico, service_tier FROM usage ORDER BY id"
            ).fetchall()
            return found
        finally:
            connection.close()

    async def serve(self, request: ResourceRequest, client: Client) -> None:
        """A request about a stored object."""
        await serve(self.batches.lifecycle, lambda: self.batches, request, client)

    def execute(self, *statements: str) -> None:
        """Changes the books behind the daemon's back, as the CLI does."""
        connection = self.database.connect()
        try:
            for statement in statements:
                connection.execute(statement)
        finally:
            connection.close()

    async def open(self, batch_id: int) -> list[OpenLine]:
        return list(await self.storage.reading().batches.open_lines(batch_id))

    async def held_pico(self) -> int:
        return (await self.storage.reading().balance.get(1)).held_pico


@asynccontextmanager
async def batch_house(folder: Path, interrupted_charge: InterruptedCharge = "nothing") -> AsyncIterator[House]:
    clock = StoppedClock()
    database = make_database(folder, clock)
    connection = database.connect()
    connection.execute(
        "INSERT INTO prices (model_id, source, sheet, starts_at_us, created_at_us) VALUES (1, 'operator', ?, 1, 1)",
        (SHEET,),
    )
    connection.close()
    await database.open()
    storage, journal = SqliteStorage(database), SqliteJournal(database, SLOT, clock)
    directory, provider = LiveDirectory(storage), Provider()
    await directory.refresh()
    told: list[Any] = []
    telemetry: Any = SimpleNamespace(opened=lambda held: None, finished=lambda *names: told.append(names))
    lifecycle = Lifecycle(
        directory,
        journal,
        provider,
        Vault(),  # type: ignore[arg-type]
        clock,
        telemetry,
        Policy(16, interrupted_charge, 5.0, 1_000_000),
        TargetPool(clock, BreakerSettings(), lambda most: 0),
    )
    results = Results(lifecycle, storage)
    try:
        batches = Batches(lifecycle, storage, RequestIds(SLOT), results)
        yield House(batches, results, storage, provider, database, clock, told)
    finally:
        await journal.close()
        await database.close()

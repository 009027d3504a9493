"""Batches over real books, with a provider that says what a test tells it to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from support.books import StoppedClock, make_database

from softix_proxy.dialects.base import Ask
from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.domain.batches import OpenLine
from softix_proxy.domain.ids import RequestIds
from softix_proxy.domain.models import Model
from softix_proxy.domain.upstream import Call
from softix_proxy.relay.batch_results import Account, Results
from softix_proxy.relay.batches import Asked, Batches, Read
from softix_proxy.relay.live_directory import LiveDirectory
from softix_proxy.relay.plan import Caller
from softix_proxy.storage.hot_path import SqliteJournal
from softix_proxy.storage.storage import SqliteStorage

SHEET = (
    '{"bands": [{"prices": {"input": "1", "output": "2"}},'
    ' {"service_tier": "batch", "prices": {"input": "0.5", "output": "1"}}]}'
)
SLOT = 3


class Answer:
    secret = None
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
    calls: list[Call] = field(default_factory=list)

    async def send(self, call: Call, sending: Callable[[], None]) -> Any:
        self.calls.append(call)
        sending()
        found = next(answer for end, answer in self.says.items() if call.path.endswith(end))
        if isinstance(found, BaseException):
            raise found
        return Answer(found.status, *found.left)


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
        directory = self.batches.house.directory.current
        [key] = [key for key in directory.keys.values() if key.user_id == 1]
        return Caller(directory.users[1], key)

    @property
    def model(self) -> Model:
        return self.batches.house.directory.current.models[1]

    @property
    def account(self) -> Account:
        return Account(self.batches.house.directory.current.providers[1], None)

    async def asked(self, *names: str, endpoint: str = "chat_completions") -> list[Asked]:
        ask = Ask(model="llama", max_output_tokens=10)
        reads = [Read(name, ENDPOINTS[endpoint], ask, 100) for name in names]
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

    async def open(self, batch_id: int) -> list[OpenLine]:
        return list(await self.storage.reading().batches.open_lines(batch_id))

    async def held_pico(self) -> int:
        return (await self.storage.reading().balance.get(1)).held_pico


@asynccontextmanager
async def batch_house(folder: Path, interrupted_charge: str = "nothing") -> AsyncIterator[House]:
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
    lifecycle: Any = SimpleNamespace(
        directory=directory,
        journal=journal,
        upstream=provider,
        clock=clock,
        policy=SimpleNamespace(interrupted_charge=interrupted_charge),
        telemetry=SimpleNamespace(opened=lambda held: None, finished=lambda *names: told.append(names)),
    )
    results = Results(lifecycle, storage)
    try:
        batches = Batches(lifecycle, storage, RequestIds(SLOT), results)
        yield House(batches, results, storage, provider, database, clock, told)
    finally:
        await journal.close()
        await database.close()

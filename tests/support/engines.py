"""The storage engines that the contract suite runs against, and what it asks of each.

A second engine is a class with `open`, and a line in `ENGINES`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from support.books import fill, revision

from softix_proxy.domain.core.clock import Clock
from softix_proxy.domain.metering.admission import Admitted, Decision, Intent
from softix_proxy.domain.metering.settlement import Orphan, Settlement
from softix_proxy.domain.ports.storage import Storage
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.unit import SqliteStorage
from softix_proxy.storage.sqlite.write_path import orphans
from softix_proxy.storage.sqlite.write_path.group import CommitGroup
from softix_proxy.storage.sqlite.write_path.statements import NOTE_UNPRICED


class Books(Protocol):
    """An open database of one engine."""

    @property
    def storage(self) -> Storage: ...

    async def admit(self, intents: Sequence[Intent], now_us: int, *, slot: int = 0) -> None:
        """In one transaction, as of the current directory."""
        ...

    async def ask(self, intents: Sequence[Intent], now_us: int) -> Sequence[Decision]:
        """The same, where some of them may be denied."""
        ...

    async def settle(self, settlements: Sequence[Settlement], now_us: int) -> None:
        """Admits and settles them, in one transaction."""
        ...

    async def settle_open(self, settlements: Sequence[Settlement], now_us: int) -> None:
        """Settles what was admitted before, in one transaction."""
        ...

    async def orphans(self, slot: int) -> Sequence[Orphan]:
        """What is open under this slot, whose earlier owner is dead."""
        ...

    async def note_unpriced(self, model_id: int, now_us: int) -> None: ...

    async def run(self, statement: str) -> None:
        """Does by hand what softix never does. Raises where a rule of the schema forbids it."""
        ...

    async def close(self) -> None: ...


class Engine(Protocol):
    async def open(self, folder: Path, clock: Clock, *, users: bool) -> Books:
        """Makes a database: with the two users of `support.books`, or empty."""
        ...


class SqliteBooks:
    def __init__(self, database: Database) -> None:
        self._database = database
        self.storage = SqliteStorage(database)

    async def admit(self, intents: Sequence[Intent], now_us: int, *, slot: int = 0) -> None:
        assert all(isinstance(each, Admitted) for each in self._in_one_group(intents, (), now_us, slot))

    async def ask(self, intents: Sequence[Intent], now_us: int) -> Sequence[Decision]:
        return self._in_one_group(intents, (), now_us, 0)

    async def settle(self, settlements: Sequence[Settlement], now_us: int) -> None:
        decisions = self._in_one_group([one.intent for one in settlements], settlements, now_us, 0)
        assert all(isinstance(each, Admitted) for each in decisions)

    async def settle_open(self, settlements: Sequence[Settlement], now_us: int) -> None:
        connection = self._database.connect()
        try:
            connection.execute("BEGIN IMMEDIATE")
            group = CommitGroup(connection, 0, now_us)
            group.load([one.intent for one in settlements])
            group.settle(settlements)
            group.save()
            connection.execute("COMMIT")
        finally:
            connection.close()

    def _in_one_group(
        self, intents: Sequence[Intent], settlements: Sequence[Settlement], now_us: int, slot: int
    ) -> Sequence[Decision]:
        connection = self._database.connect()
        try:
            connection.execute("BEGIN IMMEDIATE")
            for intent in intents:
                object.__setattr__(intent, "revision", revision(connection))
            group = CommitGroup(connection, slot, now_us)
            group.load(intents)
            decisions = group.admit(intents)
            group.settle(settlements)
            group.save()
            connection.execute("COMMIT")
            return decisions
        finally:
            connection.close()

    async def orphans(self, slot: int) -> Sequence[Orphan]:
        return orphans.find(self._database, slot)

    async def note_unpriced(self, model_id: int, now_us: int) -> None:
        self._run(NOTE_UNPRICED, model_id, now_us)

    async def run(self, statement: str) -> None:
        self._run(statement)

    def _run(self, statement: str, *values: Any) -> None:
        connection = self._database.connect()
        try:
            connection.execute(statement, values)
        finally:
            connection.close()

    async def close(self) -> None:
        await self._database.close()


class SqliteEngine:
    async def open(self, folder: Path, clock: Clock, *, users: bool) -> SqliteBooks:
        database = Database(folder / "softix.db", clock)
        database.create()
        if users:
            fill(database)
        return SqliteBooks(await database.open())


ENGINES: Mapping[str, Engine] = {"sqlite": SqliteEngine()}

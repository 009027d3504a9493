"""The access of the hot path to the database, for the event loop. It implements `domain.ports.storage.Journal`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import cast

from softix_proxy.domain.access.objects import AccountPlace, ObjectRef
from softix_proxy.domain.core.clock import Clock
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.instance.readiness import Trouble
from softix_proxy.domain.metering.admission import Allowance, Decision, Denied, Intent, RateCheck
from softix_proxy.domain.metering.settlement import Orphan, Settled, Settlement
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.core.engine import DatabaseError
from softix_proxy.storage.sqlite.core.errors import fault_of, unusable
from softix_proxy.storage.sqlite.write_path import object_statements as objects
from softix_proxy.storage.sqlite.write_path import orphans
from softix_proxy.storage.sqlite.write_path.writer import StepResult, Writer, WriteStep

_GATHER_S = 0.001
"""The longest time for which a request waits for others.

It waits only while each turn of the event loop brings some.
"""


class SqliteJournal:
    """The journal on SQLite. Each method returns when its rows are committed and synced to the disk."""

    def __init__(self, database: Database, slot: int, clock: Clock) -> None:
        """Starts the writer's thread, which `close` ends.

        It must run within the event loop. Raises OSError, DatabaseError.
        """
        self._loop = asyncio.get_running_loop()
        self._database = database
        self.slot = slot
        self._closed = False
        self._waiting: list[WriteStep] = []
        """The steps for the writer's next group, gathered in a few turns of the event loop."""
        self.writer = Writer(
            database.connect,
            clock,
            slot,
            self._deliver,
            turn=database.turn(),
            check=database.place.check,
            fault_of=partial(fault_of, at=database.path),
        )
        self.writer.start()

    async def close(self) -> None:
        """Commits what was submitted. Later calls are refused."""
        self._closed = True
        self._hand_over(0, 0)
        await asyncio.to_thread(self.writer.close)

    async def orphans(self, *, at_start: bool) -> Sequence[Orphan]:
        """Returns the intents of dead processes. Raises FailureError."""
        try:
            return await asyncio.to_thread(orphans.find, self._database, self.slot if at_start else None)
        except (OSError, DatabaseError) as error:
            raise unusable(self._database.path, error) from None

    def _deliver(self, results: list[StepResult]) -> None:
        """Passes results to the event loop. It is called on the writer's thread."""
        self._loop.call_soon_threadsafe(_resolve, results)

    async def admit(self, intent: Intent) -> Decision:
        """Admits an intent.

        Raises RefusedError(STORAGE_UNAVAILABLE). After that or a cancellation, nothing stays held.
        """
        try:
            work = WriteStep(self._loop.create_future(), admit=intent)
            return cast(Decision, await self._ask(work))  # the writer answers an admission with nothing else
        except asyncio.CancelledError:
            self._submit(WriteStep(None, forget=intent))
            raise

    async def count(self, check: RateCheck) -> Allowance | Denied:
        """Counts a request that costs nothing against the rate of its key. Raises RefusedError(STORAGE_UNAVAILABLE)."""
        work = WriteStep(self._loop.create_future(), count=check)
        return cast("Allowance | Denied", await self._ask(work))  # the writer answers a count with nothing else

    async def resolve(self, user_id: int, refs: Sequence[ObjectRef]) -> Sequence[tuple[int, AccountPlace]]:
        """Returns where the user may use the thing of each name. Raises UnusableError."""
        text, values = objects.resolving(user_id, refs)
        return objects.resolved(await self._database.session.all(text, *values))

    async def settle(self, settlement: Settlement) -> Settled | None:
        """Writes the usage row, posts the charge and releases the hold. A second call changes nothing.

        It waits as long as the disk refuses, and the write is repeated. Raises FailureError only at shutdown.
        """
        work = WriteStep(self._loop.create_future(), settle=settlement)
        return cast("Settled | None", await self._ask(work))  # the writer answers a settlement with nothing else

    async def withdraw(self, intents: Sequence[Intent]) -> None:
        """Withdraws intents as if they had never been admitted. Raises FailureError only at shutdown."""
        await asyncio.gather(*(self._ask(WriteStep(self._loop.create_future(), forget=intent)) for intent in intents))

    async def probe(self) -> None:
        """Commits a row of no meaning. Raises RefusedError(STORAGE_UNAVAILABLE)."""
        await self._ask(WriteStep(self._loop.create_future(), probe=True))

    def trouble(self) -> Trouble | None:
        """Returns why the books cannot be written now, or None."""
        try:
            self._database.place.check()
        except DatabaseError as error:
            cause = fault_of(error)
            return Trouble(cause.code, cause.message, cause.remedy)
        return self.writer.trouble()

    def note_unpriced(self, model_id: int) -> None:
        """Records that a model without a price was requested. Nobody waits for it."""
        self._submit(WriteStep(None, unpriced_model_id=model_id))

    async def _ask(self, work: WriteStep) -> object:
        if self._closed:
            raise FailureError("the books are closed", "softix is stopping; ask again when it runs")
        self._submit(work)
        assert work.future is not None  # noqa: S101
        return await work.future

    def _submit(self, work: WriteStep) -> None:
        """Submits steps in the order of the calls. If a withdrawal came before its admission, the hold would stay."""
        self._waiting.append(work)
        if len(self._waiting) == 1:
            self._loop.call_soon(self._hand_over, 1, self._loop.time() + _GATHER_S)

    def _hand_over(self, seen: int, until_s: float) -> None:
        """Passes the steps to the writer, unless more are coming in.

        A request among sixteen costs a quarter of what it costs alone.
        """
        if len(self._waiting) > seen and self._loop.time() < until_s:
            self._loop.call_soon(self._hand_over, len(self._waiting), until_s)
            return
        waiting, self._waiting = self._waiting, []
        self.writer.submit(*waiting)


@asynccontextmanager
async def opened(database: Database, clock: Clock) -> AsyncIterator[SqliteJournal]:
    """Opens the journal for one process, under a slot that nobody else has. Raises FailureError."""
    with database.occupied() as slot:
        try:
            journal = SqliteJournal(database, slot, clock)
        except (OSError, DatabaseError) as error:
            raise unusable(database.path, error) from None
        try:
            yield journal
        finally:
            await journal.close()


def _resolve(results: list[StepResult]) -> None:
    for work, result in results:
        future = work.future
        if future is None or future.done():
            continue
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)

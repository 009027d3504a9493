"""The hot path's door to the database, for the event loop. Implements `domain.ports.Journal`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import cast

from softix_proxy.domain.admission import Decision, Intent
from softix_proxy.domain.clock import Clock
from softix_proxy.domain.errors import FailureError
from softix_proxy.domain.readiness import Trouble
from softix_proxy.domain.settlement import Orphan, Settled, Settlement
from softix_proxy.storage import orphans, slots
from softix_proxy.storage.causes import fault_of, unusable
from softix_proxy.storage.database import Database
from softix_proxy.storage.engine_sqlite import DatabaseError
from softix_proxy.storage.writer import StepResult, Writer, WriteStep

_GATHER_S = 0.001
"""A request may wait so long for others, as long as each turn of the event loop brings some; alone it does not wait."""


class SqliteJournal:
    """Each verb returns when its rows are committed and synced to the disk."""

    def __init__(self, database: Database, slot: int, clock: Clock) -> None:
        """To be made within the running event loop; `close` ends the writer's thread. Raises OSError, DatabaseError."""
        self._loop = asyncio.get_running_loop()
        self._database = database
        self.slot = slot
        self._closed = False
        self._waiting: list[WriteStep] = []
        """For the writer, as one group: what was asked for in a few turns of the event loop."""
        self.writer = Writer(
            database.connect, clock, slot, self._deliver, turn=database.turn(), check=database.place.check
        )
        self.writer.start()

    async def close(self) -> None:
        """Commits what was submitted; whoever comes later is refused."""
        self._closed = True
        self._hand_over(0, 0)
        await asyncio.to_thread(self.writer.close)

    async def orphans(self, *, at_start: bool) -> Sequence[Orphan]:
        """Raises FailureError."""
        try:
            return await asyncio.to_thread(orphans.find, self._database, self.slot if at_start else None)
        except (OSError, DatabaseError) as error:
            raise unusable(self._database.path, error) from None

    def _deliver(self, results: list[StepResult]) -> None:
        """Called on the writer's thread."""
        self._loop.call_soon_threadsafe(_resolve, results)

    async def admit(self, intent: Intent) -> Decision:
        """Raises RefusedError(STORAGE_UNAVAILABLE); then, as when cancelled, nothing stays held."""
        try:
            work = WriteStep(self._loop.create_future(), admit=intent)
            return cast(Decision, await self._ask(work))  # the writer answers an admission with nothing else
        except asyncio.CancelledError:
            self._submit(WriteStep(None, forget=intent))
            raise

    async def settle(self, settlement: Settlement) -> Settled | None:
        """Writes the usage row, posts the charge and releases the hold; twice changes nothing.

        Waits as long as the disk refuses (it is tried again and again). Raises FailureError only at shutdown.
        """
        work = WriteStep(self._loop.create_future(), settle=settlement)
        return cast("Settled | None", await self._ask(work))  # the writer answers a settlement with nothing else

    async def withdraw(self, intents: Sequence[Intent]) -> None:
        """As if they had never been admitted. Raises FailureError only at shutdown."""
        await asyncio.gather(*(self._ask(WriteStep(self._loop.create_future(), forget=intent)) for intent in intents))

    def trouble(self) -> Trouble | None:
        """Why the books cannot be written now."""
        try:
            self._database.place.check()
        except DatabaseError as error:
            cause = fault_of(error)
            return Trouble(cause.code, cause.message, cause.remedy)
        return self.writer.trouble()

    def note_unpriced(self, model_id: int) -> None:
        """A model was asked for that has no price. Nobody waits for it."""
        self._submit(WriteStep(None, unpriced_model_id=model_id))

    async def _ask(self, work: WriteStep) -> object:
        if self._closed:
            raise FailureError("the books are closed", "softix is stopping; ask again when it runs")
        self._submit(work)
        assert work.future is not None  # noqa: S101
        return await work.future

    def _submit(self, work: WriteStep) -> None:
        """In the order of the calls: to take back what was never asked for would leave the hold."""
        self._waiting.append(work)
        if len(self._waiting) == 1:
            self._loop.call_soon(self._hand_over, 1, self._loop.time() + _GATHER_S)

    def _hand_over(self, seen: int, until_s: float) -> None:
        """To the writer, unless more is coming in: among sixteen, a request costs a quarter of what it costs alone."""
        if len(self._waiting) > seen and self._loop.time() < until_s:
            self._loop.call_soon(self._hand_over, len(self._waiting), until_s)
            return
        waiting, self._waiting = self._waiting, []
        for work in waiting:
            self.writer.submit(work)


@asynccontextmanager
async def opened(database: Database, clock: Clock) -> AsyncIterator[SqliteJournal]:
    """For one process, under a slot that nobody else has. Raises FailureError."""
    slot = slots.acquire(database.path)
    try:
        database.require_latest()  # it may have been migrated since it was opened; from now on it is not
        try:
            journal = SqliteJournal(database, slot.number, clock)
        except (OSError, DatabaseError) as error:
            raise unusable(database.path, error) from None
        try:
            yield journal
        finally:
            await journal.close()
    finally:
        slot.release()


def _resolve(results: list[StepResult]) -> None:
    for work, result in results:
        future = work.future
        if future is None or future.done():
            continue
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)

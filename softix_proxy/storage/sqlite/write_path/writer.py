"""The one thread that writes for the hot path. It commits and syncs what has arrived meanwhile, and then answers.

A failed commit is ambiguous: it may or may not be on disk. So settlements and withdrawals are tried again with the same
request ids, after the connection was reopened. An admission that failed is refused and then withdrawn.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from time import perf_counter_ns

from softix_proxy.domain.core.clock import SECOND_US, Clock, Steps
from softix_proxy.domain.core.errors import Code, FailureError, RefusedError
from softix_proxy.domain.instance.readiness import Trouble
from softix_proxy.domain.metering.admission import Intent, RateCheck
from softix_proxy.domain.metering.settlement import Settlement
from softix_proxy.storage.sqlite.core.engine import DatabaseError, IntegrityError, SqliteConnection, code_of
from softix_proxy.storage.sqlite.core.errors import DatabaseFault, fault_of
from softix_proxy.storage.sqlite.core.writer_queue import WriteTurn
from softix_proxy.storage.sqlite.write_path import statements as sql
from softix_proxy.storage.sqlite.write_path.group import CommitGroup

log = logging.getLogger("softix.storage")
_RETRY_S = (0.02, 0.1, 0.5, 1.0)
_SLOW_NS = 5_000_000_000
_REFUSED = "softix cannot write its books now"
_SLOW = "COMMIT_SLOW", "look whether the disk hangs, or another program keeps the database locked"


@dataclass(slots=True)
class WriteStep:
    """One step of a request. Exactly one of the six payloads is set."""

    future: asyncio.Future[object] | None
    """The future of the caller that waits for the result. None if nobody waits."""
    admit: Intent | None = None
    settle: Settlement | None = None
    forget: Intent | None = None
    count: RateCheck | None = None
    unpriced_model_id: int | None = None
    probe: bool = False
    """Whether this is no step of a request, but a write that shows whether the books can be written."""
    tries: int = 0

    @property
    def intent(self) -> Intent | None:
        return self.settle.intent if self.settle else self.admit or self.forget


StepResult = tuple[WriteStep, object]
"""A step and its result: a Decision, a Settled or None, or the exception to raise."""


@dataclass(slots=True)
class WriterTally:
    """Counts for telemetry. Only the writer's thread changes them."""

    commits: int = 0
    commit_ns: int = 0
    longest_commit_ns: int = 0
    rows: int = 0
    failures: int = 0
    clock_jumps: int = 0


@dataclass(slots=True)
class Writer:
    """Owns a connection and a thread. `submit` may be called from any thread.

    `deliver` gets the results of a whole group at once, on the writer's thread, so that the event loop wakes up once.
    """

    open_connection: Callable[[], SqliteConnection]
    clock: Clock
    slot: int
    deliver: Callable[[list[StepResult]], None]
    group_max: int = 256
    tally: WriterTally = field(default_factory=WriterTally)
    turn: WriteTurn | None = None
    """The turn that is taken for each transaction, so that other writers on the database get theirs."""
    check: Callable[[], None] = lambda: None
    """The check that raises if the file at the database's path is no longer the one that is open."""
    fault_of: Callable[[Exception], DatabaseFault] = fault_of
    """Names the cause of a failure."""
    _queue: SimpleQueue[WriteStep | None] = field(default_factory=SimpleQueue)
    _handing: threading.Lock = field(default_factory=threading.Lock)
    """The lock on putting several steps into the queue, and on taking all that are there."""
    _backlog: list[WriteStep] = field(default_factory=list)
    _in_hand: int = 0
    _began_ns: int = 0
    """The time at which the current commit began. 0 if there is none."""
    _failing: Trouble | None = None
    _connection: SqliteConnection | None = None
    _thread: threading.Thread | None = None
    _closing: bool = False
    _steps: Steps = field(default_factory=Steps)

    def start(self) -> None:
        self._connection = self.open_connection()
        self._thread = threading.Thread(target=self._run, name="softix-writer", daemon=True)
        self._thread.start()

    def submit(self, *steps: WriteStep) -> None:
        """Submits steps together. The thread wakes up at the first one, but does not begin without the rest."""
        with self._handing:
            for work in steps:
                self._queue.put(work)

    @property
    def depth(self) -> int:
        """The number of steps that are not written yet, including the current ones and those that failed."""
        return self._queue.qsize() + len(self._backlog) + self._in_hand

    def trouble(self) -> Trouble | None:
        """Returns the last failure since the last transaction that succeeded, or a commit that does not end.

        A failed write is repeated, so that the trouble ends by itself once its cause is gone.
        """
        failing, began_ns = self._failing, self._began_ns
        if failing is None and began_ns and (took_ns := perf_counter_ns() - began_ns) > _SLOW_NS:
            return Trouble(_SLOW[0], f"a commit has been under way for {took_ns // 1_000_000_000} s", _SLOW[1])
        return failing

    def close(self, timeout_s: float = 10) -> None:
        """Commits what was submitted, then ends the thread."""
        self._queue.put(None)
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while not (self._closing and not self._backlog):
            group = self._next_group()
            if group:
                self._commit(group)
        if self._connection is not None:
            self._connection.close()
        if self.turn is not None:
            self.turn.close()

    def _next_group(self) -> list[WriteStep]:
        self._in_hand = len(self._backlog)
        group, self._backlog = self._backlog, []
        if group:
            threading.Event().wait(_RETRY_S[min(group[0].tries, len(_RETRY_S)) - 1])
        elif not self._take(group, block=True):
            return group
        with self._handing:
            while len(group) < self.group_max and self._take(group, block=False):
                pass
        self._in_hand = len(group)
        return group

    def _take(self, group: list[WriteStep], *, block: bool) -> bool:
        try:
            work = self._queue.get(block)
        except Empty:
            return False
        if work is None:
            self._closing = True
            return False
        group.append(work)
        return True

    def _commit(self, group: list[WriteStep]) -> None:
        self._began_ns = perf_counter_ns()
        try:
            results = self._in_turn(group)
        except Exception as error:  # noqa: BLE001 - the books must continue to be written, whatever the error is
            self._began_ns = 0
            self._failed(group, error)
            return
        self._began_ns = 0
        self._in_hand -= len(group)
        if self._failing is not None:
            self._failing = None
            log.warning("the books can be written again")
        self.deliver(list(zip(group, results, strict=True)))

    def _in_turn(self, group: list[WriteStep]) -> list[object]:
        if self.turn is not None:
            self.turn.take()
        try:
            return self._transact(group)
        except BaseException:
            self._reopen()  # this gives up SQLite's lock, because the writer with the next turn must not wait for it
            raise
        finally:
            if self.turn is not None:
                self.turn.give()

    def _transact(self, group: list[WriteStep]) -> list[object]:
        if self._connection is None:
            self._connection = self.open_connection()
        connection, started_ns = self._connection, perf_counter_ns()
        connection.execute("BEGIN IMMEDIATE")
        self.check()
        now_us = self._now_us()
        batch = CommitGroup(connection, self.slot, now_us)
        checks = [work.count for work in group if work.count]
        batch.load([work.intent for work in group if work.intent is not None], checks)
        settled = iter(batch.settle([work.settle for work in group if work.settle]))
        withdrawn = [work.forget for work in group if work.forget]
        batch.forget(withdrawn)
        decided = iter(batch.admit([work.admit for work in group if work.admit]))
        batch.forget(withdrawn)  # some may have been admitted only now
        counted = iter(batch.count(checks) if checks else ())
        batch.save()
        unpriced = [(work.unpriced_model_id, now_us) for work in group if work.unpriced_model_id is not None]
        if unpriced:
            connection.executemany(sql.NOTE_UNPRICED, unpriced)
        if any(work.probe for work in group):
            connection.execute(sql.PROBE, (str(now_us).encode(),))
        connection.execute("COMMIT")
        self._count(len(group), perf_counter_ns() - started_ns)
        return [
            next(settled) if work.settle else next(decided) if work.admit else next(counted) if work.count else None
            for work in group
        ]

    def _now_us(self) -> int:
        """Returns the time of the clock, whatever it says.

        A jump is logged, but it is no reason to refuse, because most jumps correct a clock.
        """
        now_us = self.clock.now_us()
        step_us = self._steps.look(now_us, self.clock.monotonic_ns())
        if step_us:
            self.tally.clock_jumps += 1
            log.warning("clock_jumped", extra={"seconds": step_us // SECOND_US})
        return now_us

    def _count(self, rows: int, took_ns: int) -> None:
        self.tally.commits += 1
        self.tally.rows += rows
        self.tally.commit_ns += took_ns
        self.tally.longest_commit_ns = max(self.tally.longest_commit_ns, took_ns)

    def _failed(self, group: list[WriteStep], error: Exception) -> None:
        self.tally.failures += 1
        at_fault = isinstance(error, IntegrityError) or not isinstance(error, (DatabaseError, OSError))
        if at_fault:
            log.error("a step cannot be written: %s", code_of(error), extra={"group": len(group)})
            refused = RefusedError(Code.STORAGE_UNAVAILABLE, f"{_REFUSED}.", 5)
        else:
            cause = self._note(error)
            told, details = f"{_REFUSED}: {cause.message}.", {"cause": cause.code}
            refused = RefusedError(Code.STORAGE_UNAVAILABLE, told, 5, details)
        if at_fault and len(group) > 1:
            for work in group:  # one of them is at fault, and the others must not suffer
                self._commit([work])
            return
        for work in group:
            if work.admit is None and work.count is None and not work.probe:
                self._again(work, give_up=at_fault or self._closing)
                continue
            self.deliver([(work, refused)])
            if work.admit is not None:
                self._again(WriteStep(None, forget=work.admit), give_up=self._closing)
            elif not any(each.probe for each in self._backlog):  # else the trouble would last until somebody asks
                self._again(WriteStep(None, probe=True), give_up=self._closing)
        self._in_hand -= len(group)

    def _note(self, error: Exception) -> DatabaseFault:
        before, cause = self._failing, self.fault_of(error)
        if before is None or before.code != cause.code:  # otherwise the same cause would be logged many times a minute
            log.error("the books cannot be written: %s; %s", cause.message, cause.remedy, extra={"error": cause.code})
        since_us = before.since_us if before else self.clock.now_us()
        self._failing = Trouble(cause.code, cause.message, cause.remedy, since_us)
        return cause

    def _again(self, work: WriteStep, *, give_up: bool) -> None:
        if give_up:  # the intent stays in the database, and the next start closes it
            self.deliver([(work, FailureError("a settlement could not be written", "the next start closes it"))])
            return
        work.tries += 1
        self._backlog.append(work)

    def _reopen(self) -> None:
        """Closes the connection, because its view may be wrong after an I/O error.

        The next one starts from the file.
        """
        connection, self._connection = self._connection, None
        if connection is None:
            return
        for close in (lambda: connection.execute("ROLLBACK"), connection.close):
            try:
                close()
            except DatabaseError:
                continue

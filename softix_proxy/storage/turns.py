"""Writers take turns, so that none waits for long while others commit back to back.

SQLite's own waiting is a poll with growing sleeps: who writes without a pause always finds the lock free, and whoever
slept finds it taken. Here the kernel wakes who waits, and locks die with their process. Nothing depends on a turn but
how long one waits: the lock that keeps the books right is SQLite's.
"""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path

from softix_proxy.domain import ownership
from softix_proxy.storage.engine_sqlite import BusyError

NAMES = ("-turn", "-turn-next")
"""Beside the database. Who has the first may write; who has the second gets the first as soon as it is free.

With one file alone, whoever gave up its turn could take the next before the one that waits is even awake.
"""


class WriteTurn:
    """One writer's place in the queue: `take` and `give` are called in turn, from one thread at a time."""

    def __init__(self, database: Path, timeout_s: float) -> None:
        """Raises OSError where the files cannot be made."""
        self._timeout_s = timeout_s
        self._mutex = threading.Lock()
        self._turn = _opened(database, NAMES[0])
        try:
            self._next = _opened(database, NAMES[1])
        except OSError:
            os.close(self._turn)
            raise
        self._waits: threading.Event | None = None
        """Of the one who waits; set when the turn is theirs."""
        self._asking = self._closed = False
        """A thread is asking the kernel, perhaps for one who has given up meanwhile."""

    def take(self) -> None:
        """Raises BusyError when the time is up. Blocks: not for the event loop's thread."""
        with self._mutex:
            if not self._asking:
                if self._is_free():
                    return
                try:
                    threading.Thread(target=self._ask, name="softix-turn", daemon=True).start()
                except RuntimeError:  # no thread is left: others must not wait behind one that nobody asks for
                    fcntl.flock(self._next, fcntl.LOCK_UN)
                    raise BusyError from None
                self._asking = True
            mine = self._waits = threading.Event()
        if mine.wait(self._timeout_s):
            return
        with self._mutex:
            self._waits = None
            if mine.is_set():  # at the last moment
                return
        raise BusyError

    def give(self) -> None:
        fcntl.flock(self._turn, fcntl.LOCK_UN)

    def close(self) -> None:
        """Gives up the turn, and the place in the queue."""
        with self._mutex:
            self._closed = True
            if not self._asking:
                self._release()

    def _is_free(self) -> bool:
        """Takes the turn if nobody has it and nobody waits for it: four system calls, which do not block."""
        try:
            fcntl.flock(self._next, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.flock(self._turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        fcntl.flock(self._next, fcntl.LOCK_UN)
        return True

    def _ask(self) -> None:
        """On a thread of its own, since the kernel's queue knows no time limit."""
        got = True
        try:
            fcntl.flock(self._next, fcntl.LOCK_EX)
            fcntl.flock(self._turn, fcntl.LOCK_EX)
            fcntl.flock(self._next, fcntl.LOCK_UN)
        except OSError:  # no memory for a lock: who waits is told that the time is up, and asks again
            got = False
            fcntl.flock(self._next, fcntl.LOCK_UN)
        with self._mutex:
            self._asking = False
            waits, self._waits = self._waits, None
            if self._closed:
                self._release()
            elif waits is None or not got:
                self.give()
            else:
                waits.set()

    def _release(self) -> None:
        os.close(self._turn)
        os.close(self._next)


def _opened(database: Path, end: str) -> int:
    return ownership.open_or_make(Path(f"{database}{end}"), database)

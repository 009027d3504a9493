"""Gives writers turns, so that none waits for long while others commit without a pause.

SQLite itself waits by polling with growing sleeps. A writer without pauses always finds the lock free, and a writer
that slept finds it taken. Here the kernel wakes the waiting writer, and locks end with their process. Turns affect only
how long one waits. The lock that keeps the books correct is SQLite's.
"""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path

from softix_proxy.domain.instance import ownership
from softix_proxy.storage.sqlite.core.engine import BusyError

NAMES = ("-turn", "-turn-next")
"""The lock files beside the database. The holder of the first may write. The holder of the second gets the first next.

With one file alone, a writer that gave up its turn could take the next one before the waiting writer is even awake.
"""


class WriteTurn:
    """One writer's place in the queue. `take` and `give` are called alternately, from one thread at a time."""

    def __init__(self, database: Path, timeout_s: float) -> None:
        """Makes the files. Raises OSError if they cannot be made."""
        self._timeout_s = timeout_s
        self._mutex = threading.Lock()
        self._turn = _opened(database, NAMES[0])
        try:
            self._next = _opened(database, NAMES[1])
        except OSError:
            os.close(self._turn)
            raise
        self._waits: threading.Event | None = None
        """The event of the waiting thread. It is set when the thread has the turn."""
        self._asking = self._closed = False
        """`_asking` says that a thread is asking the kernel, perhaps for a caller that has given up meanwhile."""

    def take(self) -> None:
        """Takes the turn.

        Raises BusyError when the time is up. It blocks, so it must not run on the event loop's thread.
        """
        with self._mutex:
            if not self._asking:
                if self._is_free():
                    return
                try:
                    threading.Thread(target=self._ask, name="softix-turn", daemon=True).start()
                except RuntimeError:  # no thread can start, and others must not wait behind a turn that nobody requests
                    fcntl.flock(self._next, fcntl.LOCK_UN)
                    raise BusyError from None
                self._asking = True
            mine = self._waits = threading.Event()
        if mine.wait(self._timeout_s):
            return
        with self._mutex:
            self._waits = None
            if mine.is_set():  # the turn came at the last moment
                return
        raise BusyError

    def give(self) -> None:
        fcntl.flock(self._turn, fcntl.LOCK_UN)

    def close(self) -> None:
        """Gives up the turn and the place in the queue."""
        with self._mutex:
            self._closed = True
            if not self._asking:
                self._release()

    def _is_free(self) -> bool:
        """Takes the turn if nobody has it and nobody waits for it. This is four system calls, which do not block."""
        try:
            fcntl.flock(self._next, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.flock(self._turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        fcntl.flock(self._next, fcntl.LOCK_UN)
        return True

    def _ask(self) -> None:
        """Waits for the turn on a thread of its own, because the kernel's queue has no time limit."""
        got = True
        try:
            fcntl.flock(self._next, fcntl.LOCK_EX)
            fcntl.flock(self._turn, fcntl.LOCK_EX)
            fcntl.flock(self._next, fcntl.LOCK_UN)
        except OSError:  # there is no memory for a lock: the caller is told that the time is up, and tries again
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

"""Checkpoints the write-ahead log on a thread and a connection of its own, so that no commit waits for it."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.core.engine import DatabaseError
from softix_proxy.storage.sqlite.core.errors import fault_of

log = logging.getLogger("softix.storage")
_PAGE_BYTES = 4096


class Checkpointer:
    """Checks the size of the log at intervals, and runs a checkpoint if it has at least `pages` pages."""

    def __init__(self, database: Database, pages: int, interval_s: float) -> None:
        self._database = database
        self._least_bytes = pages * _PAGE_BYTES
        self._interval_s = interval_s
        self._log_file = Path(f"{database.path}-wal")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="softix-checkpointer", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        connection, told = None, ""
        while not self._stop.wait(self._interval_s):
            try:
                self._database.place.check()
                if self._log_file.stat().st_size >= self._least_bytes:
                    connection = connection or self._database.connect()
                    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
                told = ""
            except (OSError, DatabaseError) as error:
                cause = fault_of(error, self._database.path)
                if cause.code != told:  # each cause is logged once, not every second
                    what = f"the write-ahead log cannot be worked off: {cause.message}; {cause.remedy}"
                    log.error(what, extra={"error": cause.code})
                told = cause.code
        if connection is not None:
            connection.close()

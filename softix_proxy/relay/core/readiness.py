"""Checks whether requests can be served: whether the books can be read and written."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from softix_proxy.domain.core.errors import RefusedError, UnusableError
from softix_proxy.domain.instance.readiness import Trouble
from softix_proxy.domain.ports.storage import Journal
from softix_proxy.relay.core.live_directory import LiveDirectory

_PROBE_EVERY_NS = 5_000_000_000
_PROBE_WAIT_S = 2.0
_SLOW = Trouble("COMMIT_SLOW", "a commit takes more than two seconds", "look whether the disk hangs")


class Readiness:
    """Checks the directory and the journal. It makes a real write, at most one in five seconds."""

    def __init__(self, directory: LiveDirectory, journal: Journal, monotonic_ns: Callable[[], int]) -> None:
        self._directory = directory
        self._journal = journal
        self._monotonic_ns = monotonic_ns
        self._probed_ns: int | None = None
        """The time of the last write that succeeded. None before the first one."""

    async def check(self) -> Trouble | None:
        """Returns the trouble, or None if requests can be served."""
        trouble = self._journal.trouble() or await self._probe()
        if trouble is not None:
            return replace(trouble, reason=f"the books cannot be written: {trouble.reason}")
        try:
            await self._directory.refresh_shared()
        except UnusableError as error:
            return Trouble(error.code, f"the books cannot be read: {error.reason}", error.remedy)
        return None

    async def _probe(self) -> Trouble | None:
        """Writes, unless it did so a moment ago. Others may ask as often as they like."""
        now_ns = self._monotonic_ns()
        if self._probed_ns is not None and now_ns - self._probed_ns < _PROBE_EVERY_NS:
            return None
        try:
            async with asyncio.timeout(_PROBE_WAIT_S):
                await self._journal.probe()
        except TimeoutError:
            return self._journal.trouble() or _SLOW
        except RefusedError as error:
            cause = str(error.details.get("cause", error.code.value))
            return self._journal.trouble() or Trouble(cause, error.message, "see the log of the daemon")
        self._probed_ns = now_ns
        return None

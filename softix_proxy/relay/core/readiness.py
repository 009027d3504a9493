"""Checks whether requests can be served: whether the books can be read and written."""

from __future__ import annotations

from dataclasses import replace

from softix_proxy.domain.core.errors import UnusableError
from softix_proxy.domain.instance.readiness import Trouble
from softix_proxy.domain.ports.storage import Journal
from softix_proxy.relay.core.live_directory import LiveDirectory


class Readiness:
    """Checks the directory and the journal."""

    def __init__(self, directory: LiveDirectory, journal: Journal) -> None:
        self._directory = directory
        self._journal = journal

    async def check(self) -> Trouble | None:
        """Returns the trouble, or None if requests can be served."""
        trouble = self._journal.trouble()
        if trouble is not None:
            return replace(trouble, reason=f"the books cannot be written: {trouble.reason}")
        try:
            await self._directory.refresh_shared()
        except UnusableError as error:
            return Trouble(error.code, f"the books cannot be read: {error.reason}", error.remedy)
        return None

"""A storage within one transaction, for operations that see its moment only, or that succeed or fail together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.domain.routing.directory import Changes


class UnitStorage:
    """The storage of one unit. Without `changes` it has no way to write.

    With it, operations that each would be a transaction become parts of this one: all of them happen, or none.
    """

    def __init__(self, unit: Unit, *, changes: bool = False) -> None:
        self._unit = unit
        self._changes = changes

    def reading(self) -> Unit:
        return self._unit

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Unit]:
        yield self._unit

    @asynccontextmanager
    async def writing(self, *, recorded: bool = False) -> AsyncIterator[Unit]:
        if not self._changes:
            raise RuntimeError("this storage only reads")
        yield self._unit

    def rehearsal(self) -> Storage:
        return self

    async def changes(self, since_revision: int) -> Changes:
        raise RuntimeError("this storage only reads one moment")

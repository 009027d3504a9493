"""The memory for request bodies that are still being received, shared among keys and addresses.

A body that is here whole takes no part in it. A client above its share waits, and its socket makes it wait in turn.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from softix_proxy.domain.core.errors import Code, RefusedError

FREE_BYTES = 256 * 1024
"""The size up to which a body is received without asking. Each connection has that much in its buffers anyway."""
_SHARES = 2
"""One key, and one address, may have one part in so many."""
_FULL = "softix is receiving as many request bodies as it has memory for. Try again in a moment."


class _Room:
    """Bytes that are given out in the order in which they are asked for."""

    def __init__(self) -> None:
        self.taken_bytes = 0
        self._waiting: deque[tuple[asyncio.Future[None], int]] = deque()

    async def take(self, size_bytes: int, most_bytes: int) -> None:
        if not self._waiting and self.taken_bytes + size_bytes <= most_bytes:
            self.taken_bytes += size_bytes
            return
        turn = asyncio.get_running_loop().create_future()
        entry = turn, size_bytes
        self._waiting.append(entry)
        try:
            await turn
        except BaseException:
            if turn.done() and not turn.cancelled():
                self.give_back(size_bytes, most_bytes)
            else:
                self._waiting.remove(entry)
                self._let_in(most_bytes)
            raise

    def give_back(self, size_bytes: int, most_bytes: int) -> None:
        self.taken_bytes -= size_bytes
        self._let_in(most_bytes)

    def _let_in(self, most_bytes: int) -> None:
        while self._waiting and self.taken_bytes + self._waiting[0][1] <= most_bytes:
            turn, size_bytes = self._waiting.popleft()
            if not turn.done():
                self.taken_bytes += size_bytes
                turn.set_result(None)

    @property
    def is_unused(self) -> bool:
        return not self.taken_bytes and not self._waiting


class BodyBudget:
    """How much of the memory each client has, and who waits for some."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self._all = _Room()
        self._rooms: dict[str, _Room] = {}

    @property
    def taken_bytes(self) -> int:
        return self._all.taken_bytes

    @asynccontextmanager
    async def share(self, credential: str | None, network: str, size_bytes: int, wait_s: float) -> AsyncIterator[None]:
        """Has so many bytes while it is entered. Raises RefusedError if there are none in this time."""
        part_bytes = self.most_bytes // _SHARES
        size_bytes = min(size_bytes, part_bytes)
        names = (f"key {credential}", f"address {network}")
        rooms = [(self._rooms.setdefault(name, _Room()), part_bytes) for name in names]
        rooms.append((self._all, self.most_bytes))
        taken: list[tuple[_Room, int]] = []
        try:
            try:
                async with asyncio.timeout(wait_s):
                    for room, most_bytes in rooms:
                        await room.take(size_bytes, most_bytes)
                        taken.append((room, most_bytes))
            except TimeoutError:
                raise RefusedError(Code.CONCURRENCY_LIMITED, _FULL, retry_after_s=1) from None
            yield
        finally:
            for room, most_bytes in taken:
                room.give_back(size_bytes, most_bytes)
            for name in names:
                if name in self._rooms and self._rooms[name].is_unused:
                    del self._rooms[name]

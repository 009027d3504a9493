"""Hashes passwords on one thread, one after the other, behind a queue of a limited length.

Argon2id takes 64 MiB and about a tenth of a second for each password. Eight at once would stall the event loop and take
half a gigabyte, so that a flood of sign-ins would stop the proxy. Here a flood fills the queue, and is refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from softix_proxy.domain.core.errors import OverloadedError
from softix_proxy.vault import passwords

T = TypeVar("T")
MOST_WAITING = 16
"""How many may wait, the one that runs among them. The last of them waits for about two seconds."""
_RETRY_AFTER_S = 5.0
_SCORED_LETTERS = 32
"""The letters that are scored. The worst ones are signs that stand for letters: 32 of them take zxcvbn 17 ms, and 64
take 240 ms, and it holds the interpreter meanwhile.
"""


class QueuedPasswordHasher:
    """Fulfils `domain.accounts.passwords.PasswordHasher`. It belongs to one event loop, and its owner closes it."""

    def __init__(
        self,
        most_waiting: int = MOST_WAITING,
        *,
        make: Callable[[str], str] = passwords.hash_password,
        check: Callable[[str, str], bool] = passwords.verify_password,
    ) -> None:
        self._most_waiting = most_waiting
        self._make = make
        self._check = check
        self._waiting = 0
        self._is_closed = False
        self._thread = ThreadPoolExecutor(1, "passwords")  # it starts with the first password

    def require_room(self) -> None:
        if self._is_closed or self._waiting >= self._most_waiting:
            raise OverloadedError(
                "too many people are signing in at this moment", "wait a few seconds, and try again", _RETRY_AFTER_S
            )

    async def hash(self, text: str) -> str:
        return await self._run(lambda: self._make(text))

    async def verify(self, password_hash: str | None, text: str) -> bool:
        if password_hash is None:
            await self._run(lambda: self._check(passwords.nobodys_hash(), text))
            return False
        return await self._run(lambda: self._check(password_hash, text))

    async def score(self, text: str, personal: Sequence[str]) -> int:
        return await self._run(lambda: _score(text[:_SCORED_LETTERS], personal))

    def is_outdated(self, password_hash: str) -> bool:
        return not password_hash.startswith(passwords.parameters())

    async def close(self) -> None:
        """Refuses those who wait, and returns once the one that runs is done. A second call changes nothing."""
        self._is_closed = True
        self._thread.shutdown(wait=False, cancel_futures=True)
        await asyncio.to_thread(self._thread.shutdown)

    async def _run(self, work: Callable[[], T]) -> T:
        """Runs the work when its turn comes. Raises OverloadedError if too many wait, or if it is closed meanwhile.

        If the caller is cancelled, what has not begun is never run, and what runs goes on to its end: a thread cannot
        be stopped. The next one begins after that, so that two never run at once.
        """
        self.require_room()
        self._waiting += 1
        job = self._thread.submit(work)
        try:
            return await asyncio.wrap_future(job)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self._is_closed and not (task and task.cancelling()):
                self.require_room()  # the queue was closed, and the caller was not cancelled
            raise
        finally:
            self._waiting -= 1


def _score(text: str, personal: Sequence[str]) -> int:
    from zxcvbn_rs_py import zxcvbn  # late, because a daemon without a portal scores no password

    return int(zxcvbn(text, list(personal)).score)  # the package declares an int and returns an enumeration

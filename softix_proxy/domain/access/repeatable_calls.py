"""Calls that a program may repeat: what was asked under which key, and the answer that a repetition gets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from softix_proxy.domain.core.clock import DAY_US

KEPT_US = DAY_US
"""How long an answer is kept. A program that repeats a call does so within minutes."""


@dataclass(frozen=True, slots=True)
class RepeatableCall:
    """A call that was made under an idempotency key."""

    actor: str
    """The public id of the token that made it. Each has keys of its own."""
    key_digest: bytes = field(repr=False)
    operation: str
    request_digest: bytes = field(repr=False)
    """What was asked. Another request under the same key is refused."""
    call_id: str
    """The one attempt that has done it."""
    at_us: int
    answer: bytes | None = field(default=None, repr=False)
    """The answer, sealed, because it may have a secret. None until the call has ended."""


class RepeatableCallStore(Protocol):
    """Stores the calls that have changed something."""

    async def find(self, actor: str, key_digest: bytes) -> RepeatableCall | None: ...

    async def add(self, call: RepeatableCall) -> bool:
        """Adds a call. Returns False if the key has one already."""
        ...

    async def keep_answer(self, call: RepeatableCall, answer: bytes) -> None:
        """Keeps the answer of a call. Nothing happens if the call has changed nothing."""
        ...

    async def purge(self, before_us: int, most: int) -> int:
        """Removes calls from before, at most so many. Returns their number."""
        ...

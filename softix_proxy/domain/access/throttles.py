"""The throttles: how often something may be tried, by account, by address or by what else is counted."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class ThrottleRule(NamedTuple):
    """A rate as GCRA (`domain.access.limits`), for one name of things that are counted."""

    name: str
    per_hour: int
    burst: int


class ThrottleStore(Protocol):
    """Counts attempts. It slows down, and never locks anybody out."""

    async def arrive(self, rule: ThrottleRule, subject: str, now_us: int) -> int:
        """Counts one attempt of the subject. Returns how long to wait (µs) until it may be made, and 0 for now.

        An attempt that has to wait is not counted. `subject` is an id or a digest, and no address in plain text.
        """
        ...

    async def forget(self, rule: ThrottleRule, subject: str) -> None: ...

    async def purge(self, now_us: int) -> int:
        """Removes the counts that mean nothing any more. Returns their number."""
        ...

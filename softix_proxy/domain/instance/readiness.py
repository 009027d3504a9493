"""The reason why requests cannot be served now."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trouble:
    """The same words for monitoring, for metrics, and for the doctor. They name no file."""

    code: str
    """The code for programs, such as `SQLITE_FULL`."""
    reason: str
    remedy: str
    since_us: int | None = None
    """The time since which it lasts. It is None if its beginning was not seen."""

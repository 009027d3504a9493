"""Why requests cannot be served now."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trouble:
    """The same words for machines that watch, for metrics, and for the doctor. They name no file."""

    code: str
    """For programs, as `SQLITE_FULL`."""
    reason: str
    remedy: str
    since_us: int | None = None
    """None where it was not seen to begin."""

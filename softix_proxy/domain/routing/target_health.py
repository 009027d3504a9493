"""The health of targets as one process sees it: circuit breakers, averages and limits. Time is always passed in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

BreakerState = Literal["closed", "open", "half-open"]
_LONGEST_PAUSE_US = 300_000_000
_LATENCY_SHARE = 8
_ERRORS_SHARE = 16
ALL_PPM = 1_000_000


@dataclass(slots=True)
class Breaker:
    """A circuit breaker, which opens after some failures in a row.

    After a pause one request at a time may try. Each pause is twice as long as the last.
    """

    failures: int = 0
    """The number of failures in a row."""
    open_until_us: int = 0
    """The end of the pause. 0 means that the breaker is closed."""
    pauses: int = 0
    """The number of pauses in a row."""
    probing: bool = False

    def state(self, now_us: int) -> BreakerState:
        if not self.open_until_us:
            return "closed"
        return "open" if self._pauses(now_us) else "half-open"

    def lets(self, now_us: int) -> bool:
        """Returns whether a request may go now."""
        return not self.open_until_us or not (self._pauses(now_us) or self.probing)

    def _pauses(self, now_us: int) -> bool:
        """Returns whether the breaker pauses now.

        A pause has a maximum length. One that would end later began while the clock was ahead, and is over.
        """
        return now_us < self.open_until_us <= now_us + _LONGEST_PAUSE_US

    def enter(self) -> None:
        self.probing = self.open_until_us != 0

    def succeed(self) -> None:
        self.failures = self.pauses = self.open_until_us = 0
        self.probing = False

    def fail(self, now_us: int, most_failures: int, pause_us: int) -> None:
        """Counts a failure. A failed probe opens the breaker again at once. If `most_failures` is 0, it never opens."""
        self.failures += 1
        if self.probing or (most_failures and self.failures >= most_failures and not self._pauses(now_us)):
            self.open_until_us = now_us + min(pause_us << min(self.pauses, 16), _LONGEST_PAUSE_US)
            self.pauses += 1
        self.probing = False

    def abandon(self) -> None:
        """Ends a request that neither succeeded nor failed."""
        self.probing = False


@dataclass(slots=True)
class TargetStats:
    """The statistics of one target.

    Averages are exponentially weighted: a new latency counts for an eighth, and a new result for a sixteenth.
    """

    model_id: int
    breaker: Breaker = field(default_factory=Breaker)
    in_flight: int = 0
    requests: int = 0
    failures: int = 0
    latency_us: int = 0
    """The average time until the head of a response. 0 means that none has come yet."""
    errors_ppm: int = 0
    limited_until_us: int = 0
    """The time before which none of its keys may be used."""
    last_error: str | None = None

    def answered(self, latency_us: int) -> None:
        known_us = self.latency_us
        self.latency_us = known_us + (latency_us - known_us) // _LATENCY_SHARE if known_us else latency_us

    def count(self, *, failed: bool) -> None:
        self.requests += 1
        self.failures += failed
        self.errors_ppm += (failed * ALL_PPM - self.errors_ppm) // _ERRORS_SHARE

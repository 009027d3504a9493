"""The counters, which are kept as plain numbers and converted for Prometheus (see `exposition`) on request.

No label grows with users or keys: providers and models are the operator's own list.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from softix_proxy.domain.abuse.abuse_tally import AbuseTally
from softix_proxy.domain.core.errors import Code
from softix_proxy.domain.instance.backups import BackupTally
from softix_proxy.domain.instance.readiness import Trouble
from softix_proxy.domain.metering.settlement import ABOVE_HOLD, UNPRICED, Settlement, unpriced_in
from softix_proxy.domain.notices.delivery_tally import DeliveryTally
from softix_proxy.domain.privacy.technical_data import SeenTally

_BUCKETS_MS = (10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000)


@dataclass(slots=True)
class Histogram:
    """Counts durations of one endpoint in the buckets of Prometheus."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(_BUCKETS_MS) + 1))
    sum_ms: int = 0

    def observe(self, value_ms: int) -> None:
        self.counts[bisect_left(_BUCKETS_MS, value_ms)] += 1
        self.sum_ms += value_ms

    def buckets(self) -> list[tuple[str, float]]:
        running, rows = 0, []
        for bound, count in zip((*(str(ms / 1000) for ms in _BUCKETS_MS), "+Inf"), self.counts, strict=True):
            running += count
            rows.append((bound, float(running)))
        return rows


class _Tally(Protocol):
    commits: int
    commit_ns: int
    longest_commit_ns: int
    rows: int
    failures: int
    clock_jumps: int


class _Writer(Protocol):
    @property
    def tally(self) -> _Tally: ...

    @property
    def depth(self) -> int: ...


@dataclass(frozen=True, slots=True)
class WriterStats:
    """The statistics of the ledger's writer."""

    queue_depth: int
    commits: int
    commit_seconds: float
    longest_commit_seconds: float
    rows: int
    failures: int
    failing: str = ""
    """The reason why it cannot write now, such as `SQLITE_FULL`. It is empty while it can write."""
    clock_jumps: int = 0

    @classmethod
    def of(cls, writer: _Writer, trouble: Trouble | None) -> WriterStats:
        tally, second_ns = writer.tally, 1_000_000_000
        return cls(
            queue_depth=writer.depth,
            commits=tally.commits,
            commit_seconds=tally.commit_ns / second_ns,
            longest_commit_seconds=tally.longest_commit_ns / second_ns,
            rows=tally.rows,
            failures=tally.failures,
            failing=trouble.code if trouble else "",
            clock_jumps=tally.clock_jumps,
        )


class Metrics:
    """Implements `domain.ports.telemetry.Telemetry`. Calls `read_books` at each scrape."""

    def __init__(
        self,
        read_books: Callable[[], WriterStats],
        webhooks: DeliveryTally | None = None,
        seen: SeenTally | None = None,
        abuse: AbuseTally | None = None,
    ) -> None:
        self.read_books = read_books
        self.requests: Counter[tuple[str, str, str, int, str]] = Counter()
        self.tokens: Counter[tuple[str, str, str]] = Counter()
        self.charge_pico: Counter[tuple[str, str]] = Counter()
        self.cost_pico: Counter[tuple[str, str]] = Counter()
        self.refusals: Counter[tuple[str, str]] = Counter()
        self.unknown: Counter[str] = Counter()
        """The members without a class, by the endpoint."""
        self.unpriced_modes: Counter[tuple[str, str, str]] = Counter()
        """The uses, by provider, model and mode, that have no price of their own."""
        self.above_hold: Counter[tuple[str, str]] = Counter()
        """The requests, by provider and model, that cost more than was held for them."""
        self.provider_errors: Counter[tuple[str, str]] = Counter()
        self.latency: dict[str, Histogram] = {}
        self.ttfb: dict[str, Histogram] = {}
        self.open = 0
        self.held_pico = 0
        self.webhooks = webhooks or DeliveryTally()
        self.seen = seen or SeenTally()
        self.abuse = abuse or AbuseTally()
        self.backups: BackupTally | None = None
        """What is known of backups. None where nobody looks after them."""
        self.now_us: Callable[[], int] = lambda: 0

    def refused(self, endpoint: str, code: Code) -> None:
        self.refusals[(endpoint, code.value)] += 1

    def unknown_members(self, endpoint: str, number: int) -> None:
        self.unknown[endpoint] += number

    def opened(self, hold_pico: int) -> None:
        self.open += 1
        self.held_pico += hold_pico

    def finished(self, settlement: Settlement, provider: str, model: str) -> None:
        self.open -= 1
        self.held_pico -= settlement.hold_pico
        endpoint = settlement.intent.endpoint
        self.requests[(endpoint, provider, model, settlement.status_code, settlement.source.value)] += 1
        self.tokens[(provider, model, "input")] += settlement.input_tokens
        self.tokens[(provider, model, "output")] += settlement.output_tokens
        self.charge_pico[(provider, model)] += settlement.charge_pico
        self.cost_pico[(provider, model)] += settlement.cost_pico
        note = settlement.note
        if note is not None:
            if UNPRICED in note:
                for mode in unpriced_modes(settlement):
                    self.unpriced_modes[(provider, model, mode)] += 1
            if ABOVE_HOLD in note:
                self.above_hold[(provider, model)] += 1
        if settlement.error is not None:
            self.provider_errors[(provider, settlement.error)] += 1
        _of(self.latency, endpoint).observe(settlement.latency_ms)
        if settlement.ttfb_ms is not None:
            _of(self.ttfb, endpoint).observe(settlement.ttfb_ms)

    def render(self) -> bytes:
        from softix_proxy.telemetry.exposition import render  # late, because few daemons are scraped

        return render(self)


def unpriced_modes(settlement: Settlement) -> list[str]:
    """Returns the unpriced modes that a row's note names. `service_tier` is replaced by the name of the tier.

    All of these names are softix's own.
    """
    named = unpriced_in(settlement.note)
    return [settlement.service_tier if name == "service_tier" else name for name in named]


def _of(histograms: dict[str, Histogram], endpoint: str) -> Histogram:
    histogram = histograms.get(endpoint)
    if histogram is None:
        histogram = histograms[endpoint] = Histogram()
    return histogram

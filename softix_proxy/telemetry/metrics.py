"""Counters for Prometheus, kept as plain numbers and put into its words when asked.

No label grows with users or keys: providers and models are the operator's own list.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from softix_proxy.domain.errors import Code
from softix_proxy.domain.money import PICO_PER_USD
from softix_proxy.domain.settlement import Settlement

Metric = CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily
_BUCKETS_MS = (10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000)
_LABELS = ("endpoint", "provider", "model", "status", "source")


@dataclass(slots=True)
class Histogram:
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


@dataclass(frozen=True, slots=True)
class Books:
    """What the writer of the books tells of itself."""

    queue_depth: int
    commits: int
    commit_seconds: float
    longest_commit_seconds: float
    rows: int
    failures: int


class Metrics(Collector):
    """Implements `domain.telemetry.Telemetry`. `read_books` is asked at each scrape."""

    def __init__(self, read_books: Callable[[], Books]) -> None:
        self._read_books = read_books
        self._requests: Counter[tuple[str, str, str, int, str]] = Counter()
        self._tokens: Counter[tuple[str, str, str]] = Counter()
        self._charge_pico: Counter[tuple[str, str]] = Counter()
        self._cost_pico: Counter[tuple[str, str]] = Counter()
        self._refusals: Counter[tuple[str, str]] = Counter()
        self._provider_errors: Counter[tuple[str, str]] = Counter()
        self._latency: dict[str, Histogram] = {}
        self._ttfb: dict[str, Histogram] = {}
        self._open = 0
        self._held_pico = 0

    def refused(self, endpoint: str, code: Code) -> None:
        self._refusals[(endpoint, code.value)] += 1

    def opened(self, hold_pico: int) -> None:
        self._open += 1
        self._held_pico += hold_pico

    def finished(self, settlement: Settlement, provider: str, model: str) -> None:
        self._open -= 1
        self._held_pico -= settlement.hold_pico
        endpoint = settlement.intent.endpoint
        self._requests[(endpoint, provider, model, settlement.status_code, settlement.source.value)] += 1
        self._tokens[(provider, model, "input")] += settlement.input_tokens
        self._tokens[(provider, model, "output")] += settlement.output_tokens
        self._charge_pico[(provider, model)] += settlement.charge_pico
        self._cost_pico[(provider, model)] += settlement.cost_pico
        if settlement.error is not None:
            self._provider_errors[(provider, settlement.error)] += 1
        self._latency.setdefault(endpoint, Histogram()).observe(settlement.latency_ms)
        if settlement.ttfb_ms is not None:
            self._ttfb.setdefault(endpoint, Histogram()).observe(settlement.ttfb_ms)

    def render(self) -> bytes:
        registry = CollectorRegistry()
        registry.register(self)
        return generate_latest(registry)

    def collect(self) -> Iterator[Metric]:
        yield _counter("softix_requests", "Settled requests.", _LABELS, self._requests)
        yield _counter("softix_tokens", "Metered tokens.", ("provider", "model", "side"), self._tokens)
        owner = ("provider", "model")
        yield _counter("softix_charge_usd", "Charged to users.", owner, _dollars(self._charge_pico))
        yield _counter("softix_cost_usd", "Asked by providers.", owner, _dollars(self._cost_pico))
        yield _counter(
            "softix_refusals", "Answered with an error of softix's own.", ("endpoint", "code"), self._refusals
        )
        yield _counter("softix_request_errors", "Ended badly.", ("provider", "error"), self._provider_errors)
        yield _gauge("softix_open_requests", "Requests under way.", self._open)
        yield _gauge("softix_held_usd", "Set aside for requests under way.", self._held_pico / PICO_PER_USD)
        yield _histogram("softix_latency_seconds", "From the request to the end of its answer.", self._latency)
        yield _histogram("softix_time_to_first_byte_seconds", "From the request to the answer's start.", self._ttfb)
        yield from self._books()

    def _books(self) -> Iterator[Metric]:
        books = self._read_books()
        yield _gauge("softix_journal_queue", "Steps that wait to be written.", books.queue_depth)
        yield _gauge("softix_journal_longest_commit_seconds", "Since the start.", books.longest_commit_seconds)
        for name, text, value in (
            ("softix_journal_commits", "Transactions.", books.commits),
            ("softix_journal_commit_seconds", "Time in transactions.", books.commit_seconds),
            ("softix_journal_steps", "Admissions and settlements.", books.rows),
            ("softix_journal_failures", "Transactions that failed and were tried again.", books.failures),
        ):
            yield _counter(name, text, (), {(): value})


def _dollars(amounts_pico: Counter[tuple[str, str]]) -> dict[tuple[str, str], float]:
    return {labels: pico / PICO_PER_USD for labels, pico in amounts_pico.items()}


def _counter(name: str, text: str, labels: tuple[str, ...], values: Mapping[Any, float]) -> CounterMetricFamily:
    family = CounterMetricFamily(name, text, labels=labels)
    for row, value in values.items():
        family.add_metric([str(label) for label in row], value)
    return family


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)


def _histogram(name: str, text: str, histograms: dict[str, Histogram]) -> HistogramMetricFamily:
    family = HistogramMetricFamily(name, text, labels=("endpoint",))
    for endpoint, histogram in histograms.items():
        family.add_metric([endpoint], histogram.buckets(), histogram.sum_ms / 1000)
    return family

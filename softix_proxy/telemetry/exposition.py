"""Writes the counters in Prometheus' text format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from math import inf
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from softix_proxy.domain.core.money import PICO_PER_USD

if TYPE_CHECKING:
    from softix_proxy.domain.instance.backups import BackupTally
    from softix_proxy.domain.notices.delivery_tally import DeliveryTally
    from softix_proxy.domain.privacy.technical_data import SeenTally
    from softix_proxy.telemetry.metrics import Histogram, Metrics, WriterStats

Metric = CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily
_LABELS = ("endpoint", "provider", "model", "status", "source")


class _Once(Collector):
    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        return _collect(self._metrics)


def render(metrics: Metrics) -> bytes:
    registry = CollectorRegistry()
    registry.register(_Once(metrics))
    return generate_latest(registry)


def _collect(metrics: Metrics) -> Iterator[Metric]:
    yield _counter("softix_requests", "Settled requests.", _LABELS, metrics.requests)
    yield _counter("softix_tokens", "Metered tokens.", ("provider", "model", "side"), metrics.tokens)
    owner = ("provider", "model")
    yield _counter("softix_charge_usd", "Charged to users.", owner, _dollars(metrics.charge_pico))
    yield _counter("softix_cost_usd", "Asked by providers.", owner, _dollars(metrics.cost_pico))
    yield _counter("softix_refusals", "Answered with an error of softix's own.", ("endpoint", "code"), metrics.refusals)
    unpriced = ("provider", "model", "mode")
    yield _counter("softix_unpriced_mode", "Used without a price of its own.", unpriced, metrics.unpriced_modes)
    unknown = {(endpoint,): number for endpoint, number in metrics.unknown.items()}
    text = "Members of requests of which nobody knows what they cost."
    yield _counter("softix_unknown_members", text, ("endpoint",), unknown)
    yield _counter("softix_above_hold", "Cost more than was held for them.", owner, metrics.above_hold)
    yield _counter("softix_request_errors", "Ended badly.", ("provider", "error"), metrics.provider_errors)
    yield _gauge("softix_open_requests", "Requests under way.", metrics.open)
    yield _gauge("softix_held_usd", "Set aside for requests under way.", metrics.held_pico / PICO_PER_USD)
    yield _histogram("softix_latency_seconds", "From the request to the end of its answer.", metrics.latency)
    yield _histogram("softix_time_to_first_byte_seconds", "From the request to the answer's start.", metrics.ttfb)
    yield from _webhooks(metrics.webhooks)
    yield from _seen(metrics.seen)
    alerts = {(rule,): number for rule, number in metrics.abuse.alerts.items()}
    yield _counter("softix_abuse_alerts", "Raised by a rule against abuse.", ("rule",), alerts)
    if metrics.backups is not None:
        yield from _backups(metrics.backups, metrics.now_us())
    yield from _books(metrics.read_books())


def _seen(tally: SeenTally) -> Iterator[Metric]:
    outcomes = {("refused",): tally.failed_keys, ("slowed",): tally.slowed_keys}
    yield _counter("softix_invalid_keys", "Invalid API keys; slowed ones got 429 unread.", ("outcome",), outcomes)
    text = "Requests of which only the number is kept, because too many addresses or programs came."
    yield _counter("softix_technical_data_not_kept", text, (), {(): tally.not_kept})


def _backups(tally: BackupTally, now_us: int) -> Iterator[Metric]:
    age = inf if tally.last_at_us is None else max(now_us - tally.last_at_us, 0) / 1_000_000
    yield _gauge("softix_backup_age_seconds", "Since the moment of the last backup. Without one, +Inf.", age)
    outcomes = {("made",): tally.made, ("failed",): tally.failures}
    yield _counter("softix_backups", "Scheduled backups of this process.", ("outcome",), outcomes)


def _webhooks(tally: DeliveryTally) -> Iterator[Metric]:
    outcomes = {
        ("delivered",): tally.delivered,
        ("failed",): tally.attempts_failed,
        ("given-up",): tally.given_up,
    }
    text = "Attempts to deliver an event that ended so; given-up ones are among the failed."
    yield _counter("softix_webhook_deliveries", text, ("outcome",), outcomes)
    yield _gauge("softix_webhook_waiting", "Events that wait for an endpoint.", tally.waiting)


def _books(books: WriterStats) -> Iterator[Metric]:
    yield _gauge("softix_journal_queue", "Steps that wait to be written.", books.queue_depth)
    failing = GaugeMetricFamily("softix_journal_failing", "1 while the books cannot be written.", labels=("error",))
    failing.add_metric([books.failing], 1 if books.failing else 0)
    yield failing
    yield _gauge("softix_journal_longest_commit_seconds", "Since the start.", books.longest_commit_seconds)
    for name, text, value in (
        ("softix_journal_commits", "Transactions.", books.commits),
        ("softix_journal_commit_seconds", "Time in transactions.", books.commit_seconds),
        ("softix_journal_steps", "Admissions and settlements.", books.rows),
        ("softix_journal_failures", "Transactions that failed and were tried again.", books.failures),
        ("softix_clock_jumps", "Times that the clock was set, or the machine slept.", books.clock_jumps),
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

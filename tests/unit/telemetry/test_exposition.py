from collections.abc import Iterator
from dataclasses import replace
from math import inf

import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample
from support.books import USD, make_intent, make_settlement

from softix_proxy.domain.core.errors import Code
from softix_proxy.domain.instance.backups import BackupTally
from softix_proxy.domain.metering.usage import UsageSource
from softix_proxy.domain.privacy.technical_data import SeenTally
from softix_proxy.telemetry.metrics import Metrics, WriterStats

BOOKS = WriterStats(
    queue_depth=2, commits=7, commit_seconds=0.5, longest_commit_seconds=0.1, rows=20, failures=1, clock_jumps=3
)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(lambda: BOOKS)


def samples(metrics: Metrics) -> Iterator[Sample]:
    for family in text_string_to_metric_families(metrics.render().decode()):
        yield from family.samples


def values(metrics: Metrics) -> dict[tuple[str, ...], float]:
    """By name and the labels' values, in the order of the labels' names."""
    return {(sample.name, *dict(sorted(sample.labels.items())).values()): sample.value for sample in samples(metrics)}


def finish(metrics: Metrics, **changes: object) -> None:
    settlement = make_settlement(make_intent(1, 1), latency_ms=80, ttfb_ms=20, **changes)
    metrics.opened(settlement.hold_pico)
    metrics.finished(settlement, "lab", "llama")


def test_new_metrics_report_only_the_books(metrics: Metrics) -> None:
    found = values(metrics)
    assert found["softix_journal_commits_total",] == 7 and found["softix_journal_failures_total",] == 1
    assert found["softix_clock_jumps_total",] == 3
    assert found["softix_journal_queue",] == 2 and found["softix_journal_longest_commit_seconds",] == 0.1
    assert found["softix_open_requests",] == 0 and found["softix_held_usd",] == 0
    assert found["softix_journal_failing", ""] == 0


def test_metrics_with_failing_books_name_the_error() -> None:
    failing = Metrics(lambda: replace(BOOKS, failing="SQLITE_FULL"))
    assert values(failing)["softix_journal_failing", "SQLITE_FULL"] == 1


def test_metrics_after_requests_count_them_with_tokens_and_charge(metrics: Metrics) -> None:
    finish(metrics)
    finish(metrics, source=UsageSource.ESTIMATE, error="client_hung_up")
    found = values(metrics)
    assert found["softix_requests_total", "chat", "llama", "lab", "provider", "200"] == 1
    assert found["softix_requests_total", "chat", "llama", "lab", "estimate", "200"] == 1
    assert found["softix_tokens_total", "llama", "lab", "input"] == 6
    assert found["softix_tokens_total", "llama", "lab", "output"] == 8
    assert found["softix_charge_usd_total", "llama", "lab"] == 0.5
    assert found["softix_request_errors_total", "client_hung_up", "lab"] == 1


def test_metrics_of_unpriced_modes_count_each_mode(metrics: Metrics) -> None:
    finish(metrics, note="clamped unpriced:service_tier unpriced:image_generation", service_tier="fast+us")
    finish(metrics, note="unpriced:image_generation limited_to_hold")
    finish(metrics, note="clamped", service_tier="priority")
    found = values(metrics)
    assert found["softix_unpriced_mode_total", "fast+us", "llama", "lab"] == 1
    assert found["softix_unpriced_mode_total", "image_generation", "llama", "lab"] == 2
    assert sum(key[0] == "softix_unpriced_mode_total" for key in found) == 2


def test_metrics_of_open_requests_and_held_money_follow_them(metrics: Metrics) -> None:
    metrics.opened(2 * USD)
    assert values(metrics)["softix_open_requests",] == 1 and values(metrics)["softix_held_usd",] == 2
    metrics.finished(make_settlement(make_intent(1, 1, hold_pico=2 * USD)), "lab", "llama")
    assert values(metrics)["softix_open_requests",] == 0 and values(metrics)["softix_held_usd",] == 0


def test_metrics_of_refusals_count_by_code_and_endpoint(metrics: Metrics) -> None:
    for _ in range(3):
        metrics.refused("chat", Code.RATE_LIMITED)
    assert values(metrics)["softix_refusals_total", "rate_limited", "chat"] == 3


def test_latency_histograms_count_into_cumulative_buckets(metrics: Metrics) -> None:
    finish(metrics)
    found = values(metrics)
    assert found["softix_latency_seconds_bucket", "chat", "0.05"] == 0
    assert found["softix_latency_seconds_bucket", "chat", "0.1"] == 1
    assert found["softix_latency_seconds_bucket", "chat", "+Inf"] == 1
    assert found["softix_latency_seconds_sum", "chat"] == 0.08
    assert found["softix_time_to_first_byte_seconds_count", "chat"] == 1


def test_metric_labels_name_no_user_or_key(metrics: Metrics) -> None:
    finish(metrics, error="client_hung_up", status_code=499)
    metrics.refused("chat", Code.RATE_LIMITED)
    labels = {name for sample in samples(metrics) for name in sample.labels}
    assert labels <= {"endpoint", "provider", "model", "status", "source", "side", "code", "error", "le", "outcome"}


def test_metrics_of_unknown_members_are_numbers_by_endpoint(metrics: Metrics) -> None:
    metrics.unknown_members("chat", 2)
    metrics.unknown_members("chat", 3)
    assert values(metrics)["softix_unknown_members_total", "chat"] == 5


def test_metrics_of_webhooks_count_attempts_by_their_outcome(metrics: Metrics) -> None:
    metrics.webhooks.delivered, metrics.webhooks.attempts_failed = 7, 5
    metrics.webhooks.given_up, metrics.webhooks.waiting = 2, 3
    found = values(metrics)
    name = "softix_webhook_deliveries_total"
    assert [found[name, outcome] for outcome in ("delivered", "failed", "given-up")] == [7, 5, 2]
    assert found["softix_webhook_waiting",] == 3


def test_guesses_of_keys_and_what_was_not_kept_are_counted() -> None:
    tally = SeenTally(failed_keys=3, slowed_keys=5, not_kept=7)
    found = values(Metrics(lambda: BOOKS, seen=tally))
    assert found["softix_invalid_keys_total", "refused"] == 3 and found["softix_invalid_keys_total", "slowed"] == 5
    assert found["softix_technical_data_not_kept_total",] == 7


def test_alerts_of_abuse_are_counted_by_rule(metrics: Metrics) -> None:
    metrics.abuse.alerts["spend"] += 2
    metrics.abuse.alerts["leaked-key"] += 1
    found = values(metrics)
    assert found[("softix_abuse_alerts_total", "spend")] == 2
    assert found[("softix_abuse_alerts_total", "leaked-key")] == 1


def test_age_of_the_last_backup_is_infinite_until_there_is_one(metrics: Metrics) -> None:
    assert ("softix_backup_age_seconds",) not in values(metrics), "nobody looks after backups"
    metrics.backups, metrics.now_us = BackupTally(), lambda: 90_000_000
    assert values(metrics)["softix_backup_age_seconds",] == inf
    metrics.backups = BackupTally(last_at_us=30_000_000, made=2, failures=1)
    found = values(metrics)
    assert found["softix_backup_age_seconds",] == 60
    assert (found["softix_backups_total", "made"], found["softix_backups_total", "failed"]) == (2, 1)

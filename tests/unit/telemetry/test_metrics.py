from __future__ import annotations

import subprocess
import sys

from support.books import USD, make_intent, make_settlement

from softix_proxy.telemetry.metrics import Histogram, Metrics, WriterStats


def test_histogram_value_on_a_bound_is_counted_below_it() -> None:
    histogram = Histogram()
    for value_ms in (10, 11, 10**9):
        histogram.observe(value_ms)
    assert histogram.buckets()[0] == ("0.01", 1) and histogram.buckets()[1] == ("0.025", 2)
    assert histogram.buckets()[-1] == ("+Inf", 3)


def test_finished_request_is_no_longer_counted_as_open() -> None:
    metrics = Metrics(lambda: WriterStats(0, 0, 0.0, 0.0, 0, 0))
    metrics.opened(2 * USD)
    metrics.opened(USD)
    metrics.finished(make_settlement(make_intent(1, 1, hold_pico=2 * USD)), "lab", "llama")
    assert (metrics.open, metrics.held_pico) == (1, USD)


def test_metrics_module_does_not_import_prometheus_client() -> None:
    asks = "import softix_proxy.telemetry.metrics, sys; print('prometheus_client' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asks], capture_output=True, text=True, check=True).stdout == "False\n"

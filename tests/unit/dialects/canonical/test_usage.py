from __future__ import annotations

import pytest

from softix_proxy.dialects.anthropic.endpoint import anthropic_report
from softix_proxy.dialects.canonical.types import CanonicalUsage
from softix_proxy.dialects.canonical.usage import anthropic_usage, gemini_usage, openai_usage, responses_usage
from softix_proxy.dialects.core.tokens import openai_report
from softix_proxy.dialects.gemini.usage import gemini_report
from softix_proxy.domain.pricing.meters import INPUT_METERS, OUTPUT_METERS, total

METERS = [
    {"input_tokens": 10, "output_tokens": 5},
    {"input_tokens": 10, "cached_input_tokens": 90, "output_tokens": 5, "reasoning_tokens": 40},
    {"input_tokens": 1, "cache_write_5m_tokens": 7, "output_tokens": 5},
]


@pytest.mark.parametrize("meters", METERS)
def test_openai_usage_with_cache_and_reasoning_counts_them_within_the_totals(meters: dict[str, int]) -> None:
    for counted in (openai_usage(CanonicalUsage(meters)), responses_usage(CanonicalUsage(meters))):
        report = openai_report(counted, None, None)
        assert report
        assert report.meters == meters
        assert counted["total_tokens"] == sum(meters.values())


@pytest.mark.parametrize("meters", METERS)
def test_anthropic_usage_with_cached_tokens_counts_them_apart(meters: dict[str, int]) -> None:
    report = anthropic_report(anthropic_usage(CanonicalUsage(meters)), None)
    assert report
    for side in (INPUT_METERS, OUTPUT_METERS):
        assert total(report.meters, side) == total(meters, side)
    assert report.meters.get("cached_input_tokens") == meters.get("cached_input_tokens")


def test_anthropic_usage_with_cache_writes_for_an_hour_keeps_both_durations() -> None:
    meters = {"input_tokens": 1, "cache_write_5m_tokens": 2, "cache_write_1h_tokens": 3, "output_tokens": 4}
    report = anthropic_report(anthropic_usage(CanonicalUsage(meters)), None)
    assert report
    assert report.meters == meters
    assert anthropic_usage(None)["input_tokens"] == 0


@pytest.mark.parametrize("meters", METERS[:2])
def test_gemini_usage_with_thoughts_counts_them_apart(meters: dict[str, int]) -> None:
    counted = gemini_usage(CanonicalUsage(meters))
    report = gemini_report(counted, None, {})
    assert report
    assert report.meters == meters
    assert counted["totalTokenCount"] == sum(meters.values())

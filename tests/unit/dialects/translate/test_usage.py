from __future__ import annotations

import pytest

from softix_proxy.dialects.gemini_usage import gemini_report
from softix_proxy.dialects.messages import anthropic_report
from softix_proxy.dialects.tokens import openai_report
from softix_proxy.dialects.translate.canonical import CanonicalUsage
from softix_proxy.dialects.translate.usage import (
    anthropic_usage,
    gemini_usage,
    openai_usage,
    responses_usage,
)
from softix_proxy.domain.usage import INPUT_METERS, OUTPUT_METERS, total

METERS = [
    {"input_tokens": 10, "output_tokens": 5},
    {"input_tokens": 10, "cached_input_tokens": 90, "output_tokens": 5, "reasoning_tokens": 40},
    {"input_tokens": 1, "cache_write_5m_tokens": 7, "output_tokens": 5},
]


@pytest.mark.parametrize("meters", METERS)
def test_openai_counts_what_is_within(meters: dict[str, int]) -> None:
    for counted in (openai_usage(CanonicalUsage(meters)), responses_usage(CanonicalUsage(meters))):
        report = openai_report(counted, None, None)
        assert report
        assert report.meters == meters
        assert counted["total_tokens"] == sum(meters.values())


@pytest.mark.parametrize("meters", METERS)
def test_anthropic_counts_apart_what_the_cache_gave(meters: dict[str, int]) -> None:
    report = anthropic_report(anthropic_usage(CanonicalUsage(meters)), None)
    assert report
    for side in (INPUT_METERS, OUTPUT_METERS):
        assert total(report.meters, side) == total(meters, side)
    assert report.meters.get("cached_input_tokens") == meters.get("cached_input_tokens")


def test_what_is_kept_for_an_hour() -> None:
    meters = {"input_tokens": 1, "cache_write_5m_tokens": 2, "cache_write_1h_tokens": 3, "output_tokens": 4}
    report = anthropic_report(anthropic_usage(CanonicalUsage(meters)), None)
    assert report
    assert report.meters == meters
    assert anthropic_usage(None)["input_tokens"] == 0


@pytest.mark.parametrize("meters", METERS[:2])
def test_gemini_counts_thoughts_apart(meters: dict[str, int]) -> None:
    counted = gemini_usage(CanonicalUsage(meters))
    report = gemini_report(counted, None, {})
    assert report
    assert report.meters == meters
    assert counted["totalTokenCount"] == sum(meters.values())

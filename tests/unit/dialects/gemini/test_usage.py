"""Reports and streams are in tests/golden; here is what a provider should never send."""

from __future__ import annotations

import json
from typing import Any

import pytest

from softix_proxy.dialects.gemini.usage import GeminiMeter, gemini_report, read_report, service_tier

FINISHED = b'data: {"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":%d}}\n\n'


@pytest.mark.parametrize("body", [b"", b"[]", b"nonsense", b'{"candidates":5}', b'{"usageMetadata":[]}', b"{}"])
def test_what_is_no_answer(body: bytes) -> None:
    assert read_report(body) is None


@pytest.mark.parametrize(
    "usage",
    [
        {"promptTokenCount": 3, "promptTokensDetails": "x", "candidatesTokensDetails": [5, {"modality": 1}]},
        {"promptTokenCount": 3, "thoughtsTokenCount": -1, "cachedContentTokenCount": 10**30},
        {"promptTokenCount": 3, "toolUsePromptTokenCount": 1.5, "cacheTokensDetails": {"modality": "AUDIO"}},
    ],
)
def test_a_strange_answer_does_not_become_money(usage: object) -> None:
    report = gemini_report(usage, None, {})
    assert report is not None and report.meters == {"input_tokens": 3, "output_tokens": 0}


def test_strange_grounding_counts_nothing() -> None:
    for found in ([], {"webSearchQueries": 5}, {"webSearchQueries": [None, " "], "groundingChunks": ["maps"]}):
        answer = {"candidates": [{"groundingMetadata": found}], "usageMetadata": {"promptTokenCount": 1}}
        report = read_report(json.dumps(answer).encode())
        assert report is not None and report.meters == {"input_tokens": 1, "output_tokens": 0}


def test_tiers_in_either_spelling() -> None:
    assert [service_tier(name) for name in ("flex", "SERVICE_TIER_FLEX", "Priority", "unspecified", None)] == [
        "flex",
        "flex",
        "priority",
        "standard",
        "standard",
    ]


def test_the_last_word_waits_until_it_is_the_last() -> None:
    meter = GeminiMeter()
    assert meter.feed(FINISHED % 1) == b"" and not meter.ended and meter.finishing
    assert meter.feed(FINISHED % 2) == FINISHED % 1
    assert meter.take_held() == FINISHED % 2
    assert meter.feed(b"more") == b""  # not an event yet
    assert meter.report is not None and meter.report.meters["input_tokens"] == 2


@pytest.mark.parametrize("last", [{"trafficType": "ON_DEMAND"}, {"promptTokenCount": 0, "candidatesTokenCount": 0}])
def test_a_last_usage_without_counts_takes_back_none(last: Any) -> None:
    meter = GeminiMeter()
    for usage in ({"promptTokenCount": 8, "candidatesTokenCount": 3, "totalTokenCount": 11}, last):
        meter.feed(b"data: " + json.dumps({"usageMetadata": usage}).encode() + b"\n\n")
    assert meter.report is not None and meter.report.meters == {"input_tokens": 8, "output_tokens": 3}


def test_a_prompt_that_only_the_total_tells() -> None:
    usage = {"candidatesTokenCount": 3, "thoughtsTokenCount": 20, "totalTokenCount": 31}
    report = gemini_report(usage, None, {})
    assert report is not None
    assert report.meters == {"input_tokens": 8, "output_tokens": 3, "reasoning_tokens": 20}

"""Reports and streams are in tests/golden; here is what a provider should never send."""

from __future__ import annotations

import json
from typing import Any

import pytest

from softix_proxy.dialects.gemini.usage import GeminiMeter, gemini_report, read_report, service_tier

FINISHED = b'data: {"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":%d}}\n\n'


@pytest.mark.parametrize("body", [b"", b"[]", b"nonsense", b'{"candidates":5}', b'{"usageMetadata":[]}', b"{}"])
def test_report_of_a_body_without_usage_is_none(body: bytes) -> None:
    assert read_report(body) is None


@pytest.mark.parametrize(
    "usage",
    [
        {"promptTokenCount": 3, "promptTokensDetails": "x", "candidatesTokensDetails": [5, {"modality": 1}]},
        {"promptTokenCount": 3, "thoughtsTokenCount": -1, "cachedContentTokenCount": 10**30},
        {"promptTokenCount": 3, "toolUsePromptTokenCount": 1.5, "cacheTokensDetails": {"modality": "AUDIO"}},
    ],
)
def test_gemini_report_with_odd_counts_ignores_them(usage: object) -> None:
    report = gemini_report(usage, None, {})
    assert report is not None and report.meters == {"input_tokens": 3, "output_tokens": 0}


def test_report_with_odd_grounding_counts_no_searches() -> None:
    for found in ([], {"webSearchQueries": 5}, {"webSearchQueries": [None, " "], "groundingChunks": ["maps"]}):
        answer = {"candidates": [{"groundingMetadata": found}], "usageMetadata": {"promptTokenCount": 1}}
        report = read_report(json.dumps(answer).encode())
        assert report is not None and report.meters == {"input_tokens": 1, "output_tokens": 0}


def test_service_tier_in_either_spelling_is_known() -> None:
    assert [service_tier(name) for name in ("flex", "SERVICE_TIER_FLEX", "Priority", "unspecified", None)] == [
        "flex",
        "flex",
        "priority",
        "standard",
        "standard",
    ]


def test_gemini_meter_with_a_finished_event_holds_it_until_the_next() -> None:
    meter = GeminiMeter()
    assert meter.feed(FINISHED % 1) == b"" and not meter.ended and meter.finishing
    assert meter.feed(FINISHED % 2) == FINISHED % 1
    assert meter.take_held() == FINISHED % 2
    assert meter.feed(b"more") == b""  # not an event yet
    assert meter.report is not None and meter.report.meters["input_tokens"] == 2


@pytest.mark.parametrize("last", [{"trafficType": "ON_DEMAND"}, {"promptTokenCount": 0, "candidatesTokenCount": 0}])
def test_gemini_meter_with_a_last_usage_without_counts_keeps_the_earlier_ones(last: Any) -> None:
    meter = GeminiMeter()
    for usage in ({"promptTokenCount": 8, "candidatesTokenCount": 3, "totalTokenCount": 11}, last):
        meter.feed(b"data: " + json.dumps({"usageMetadata": usage}).encode() + b"\n\n")
    assert meter.report is not None and meter.report.meters == {"input_tokens": 8, "output_tokens": 3}


def test_gemini_report_without_a_prompt_count_reads_it_from_the_total() -> None:
    usage = {"candidatesTokenCount": 3, "thoughtsTokenCount": 20, "totalTokenCount": 31}
    report = gemini_report(usage, None, {})
    assert report is not None
    assert report.meters == {"input_tokens": 8, "output_tokens": 3, "reasoning_tokens": 20}


@pytest.mark.parametrize("first", [b"\r", b"\n", b" \r\n"])
def test_meter_with_white_space_before_an_array_passes_every_byte_in_its_place(first: bytes) -> None:
    meter, array = GeminiMeter(), b'[{"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":2}}\n]'
    assert meter.feed(first) + meter.feed(array) + meter.take_held() == first + array
    assert meter.report is not None

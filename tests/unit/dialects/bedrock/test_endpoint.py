"""Bedrock's answers in tests/golden/converse, each with what has to be made of it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from support.frames import event

from softix_proxy.dialects.bedrock.endpoint import ConverseMeter, converse_report, includes_cache, read_report
from softix_proxy.dialects.core.base import UsageReport
from softix_proxy.dialects.registry import PROVIDER_ENDPOINTS, counting

CASES = {path.stem: json.loads(path.read_text()) for path in Path(__file__).parents[3].glob("golden/converse/*.json")}
STREAMS = sorted(name for name, case in CASES.items() if "events" in case)


def told(report: UsageReport | None) -> dict[str, Any] | None:
    """Without the remarks that a case does not make."""
    if report is None:
        return None
    remarks = ("undivided", "unmade", "unpriced")
    return {name: value for name, value in asdict(report).items() if name not in remarks or value}


def test_golden_cases_include_enough_answers_and_streams() -> None:
    assert len(STREAMS) >= 5 and len(CASES) - len(STREAMS) >= 5


@pytest.mark.parametrize("name", sorted(set(CASES) - set(STREAMS)))
def test_converse_answer_of_each_case_has_its_report(name: str) -> None:
    endpoint = counting(PROVIDER_ENDPOINTS["converse"], CASES[name].get("model", ""))
    report = endpoint.report(json.dumps(CASES[name]["answer"]).encode())
    assert told(report) == CASES[name]["report"]


@pytest.mark.parametrize("size", [1, 13, 10**6])
@pytest.mark.parametrize("name", STREAMS)
def test_converse_stream_of_each_case_has_its_report_and_estimate(name: str, size: int) -> None:
    case = CASES[name]
    stream = b"".join(event(kind, data) for kind, data in case["events"])
    endpoint = counting(PROVIDER_ENDPOINTS["converse_stream"], case.get("model", ""))
    meter, got = endpoint.stream(hide_usage=False), b""
    for start in range(0, len(stream), size):
        got += meter.feed(stream[start : start + size])
    found: dict[str, Any] = {name: getattr(meter, name) for name in ("ended", "failure")}
    assert found == {name: case[name] for name in ("ended", "failure")}
    assert told(meter.report) == case["report"]
    assert meter.estimate_output_tokens() == case["estimate"]
    held = meter.take_held()
    assert got + held == stream and bool(held) is case["ended"]
    assert meter.feed(b"more") == (b"more" if case["ended"] else b"")


def test_converse_meter_with_a_damaged_frame_passes_it_unread() -> None:
    meter, damaged = ConverseMeter(), event("messageStart", {})[:-1] + b"?"
    assert meter.feed(damaged[:20]) == b"" and meter.feed(damaged[20:]) == damaged
    assert meter.feed(b"more") == b"more" and meter.take_held() == b""
    assert meter.report is None and not meter.ended


@pytest.mark.parametrize("usage", [None, [], {}, {"inputTokens": -1}, {"inputTokens": "5x"}, {"totalTokens": 5}])
def test_converse_report_with_odd_usage_is_none(usage: Any) -> None:
    assert converse_report(usage) is None
    assert read_report(b"nonsense") is None


@pytest.mark.parametrize(
    ("model", "includes"),
    [
        ("openai.gpt-6-sol", True),
        ("us.openai.gpt-6-sol", True),
        ("arn:aws:bedrock:us-east-1::foundation-model/openai.gpt-6-sol", True),
        ("us.anthropic.claude-sonnet-4-6-v1:0", False),
        ("notopenai.gpt", False),
    ],
)
def test_cache_is_included_in_the_input_only_of_openai_models(model: str, includes: bool) -> None:
    assert includes_cache(model) is includes

"""Bedrock's answers in tests/golden/converse, each with what has to be made of it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from support.frames import event

from softix_proxy.dialects.converse import ConverseMeter, converse_report, read_report

CASES = {path.stem: json.loads(path.read_text()) for path in Path(__file__).parents[2].glob("golden/converse/*.json")}
STREAMS = sorted(name for name, case in CASES.items() if "events" in case)


def test_there_are_cases_of_both_kinds() -> None:
    assert len(STREAMS) >= 5 and len(CASES) - len(STREAMS) >= 5


@pytest.mark.parametrize("name", sorted(set(CASES) - set(STREAMS)))
def test_an_answer(name: str) -> None:
    report = read_report(json.dumps(CASES[name]["answer"]).encode())
    assert (asdict(report) if report else None) == CASES[name]["report"]


@pytest.mark.parametrize("size", [1, 13, 10**6])
@pytest.mark.parametrize("name", STREAMS)
def test_a_stream(name: str, size: int) -> None:
    case = CASES[name]
    stream = b"".join(event(kind, data) for kind, data in case["events"])
    meter, got = ConverseMeter(), b""
    for start in range(0, len(stream), size):
        got += meter.feed(stream[start : start + size])
    found: dict[str, Any] = {name: getattr(meter, name) for name in ("ended", "failure")}
    assert found == {name: case[name] for name in ("ended", "failure")}
    assert (asdict(meter.report) if meter.report else None) == case["report"]
    assert meter.estimate_output_tokens() == case["estimate"]
    held = meter.take_held()
    assert got + held == stream and bool(held) is case["ended"]
    assert meter.feed(b"more") == (b"more" if case["ended"] else b"")


def test_what_is_damaged_passes_unread() -> None:
    meter, damaged = ConverseMeter(), event("messageStart", {})[:-1] + b"?"
    assert meter.feed(damaged[:20]) == b"" and meter.feed(damaged[20:]) == damaged
    assert meter.feed(b"more") == b"more" and meter.take_held() == b""
    assert meter.report is None and not meter.ended


@pytest.mark.parametrize("usage", [None, [], {}, {"inputTokens": -1}, {"inputTokens": "5"}, {"totalTokens": 5}])
def test_a_strange_answer_does_not_become_money(usage: Any) -> None:
    assert converse_report(usage) is None
    assert read_report(b"nonsense") is None

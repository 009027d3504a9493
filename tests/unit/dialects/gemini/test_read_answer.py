from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from softix_proxy.dialects.canonical.accumulate import accumulate
from softix_proxy.dialects.canonical.types import (
    Alternative,
    CanonicalAnswer,
    ErrorEvent,
    Logprob,
    MediaPart,
    TextPart,
    Thinking,
    ToolCall,
)
from softix_proxy.dialects.gemini.read_answer import ReadAnswer

Heard = Callable[..., CanonicalAnswer]
OWN = "generate_content"


def chunk(*parts: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "candidates": [{"content": {"parts": list(parts), "role": "model"}, **fields}],
        "modelVersion": "m",
        "responseId": "r-1",
    }


def test_stream_with_all_parts_is_read_as_its_plain_answer(heard: Heard) -> None:
    call = {"functionCall": {"name": "f", "args": {"a": 1}}, "thoughtSignature": "h"}
    image = {"inlineData": {"mimeType": "image/png", "data": "AA"}}
    answer = heard(
        OWN,
        chunk({"text": "so", "thought": True}),
        chunk({"text": " it is", "thought": True}),
        chunk({"text": "a"}),
        chunk({"text": "b", "thoughtSignature": "g"}),
        chunk(call, image),
        chunk({"text": ""}, finishReason="STOP"),
    )
    assert answer.choices[0].parts == [
        Thinking("so it is", origin=OWN),
        TextPart("ab"),
        Thinking("", "g", OWN),
        Thinking("", "h", OWN, of="call_r1_0_3"),
        ToolCall("call_r1_0_3", "f", '{"a":1}'),
        MediaPart("image", "image/png", "AA"),
    ]
    assert (answer.choices[0].reason, answer.ended) == ("calls", True)
    thought, text = {"text": "so it is", "thought": True}, {"text": "ab", "thoughtSignature": "g"}
    assert accumulate(ReadAnswer().read_whole(chunk(thought, text, call, image, finishReason="STOP"))) == answer


def test_stream_with_several_usages_keeps_the_last(heard: Heard) -> None:
    usage = {"promptTokenCount": 10, "cachedContentTokenCount": 4, "candidatesTokenCount": 2, "thoughtsTokenCount": 3}
    answer = heard(OWN, {**chunk({"text": "a"}), "usageMetadata": {"promptTokenCount": 9}}, {"usageMetadata": usage})
    assert answer.usage
    assert answer.usage.meters == {
        "input_tokens": 6,
        "cached_input_tokens": 4,
        "output_tokens": 2,
        "reasoning_tokens": 3,
    }
    assert not answer.ended


@pytest.mark.parametrize(("reason", "wanted"), [("MAX_TOKENS", "length"), ("SAFETY", "filter"), ("NEW", "end")])
def test_stop_reason_of_each_kind_is_read(heard: Heard, reason: str, wanted: str) -> None:
    assert heard(OWN, chunk({"text": "a"}, finishReason=reason)).choices[0].reason == wanted


def test_answer_with_a_blocked_prompt_stops_with_filter(heard: Heard) -> None:
    answer = heard(OWN, {"promptFeedback": {"blockReason": "SAFETY"}})
    assert answer.choices[0].reason == "filter"
    assert answer.ended


def test_stream_with_an_error_has_a_failure_and_no_end(heard: Heard) -> None:
    answer = heard(OWN, chunk({"text": "a"}), {"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}})
    assert answer.failure
    assert answer.failure.message == "busy"
    assert isinstance(answer.failure, ErrorEvent)
    assert not answer.ended


def test_answer_with_several_candidates_and_logprobs_is_read(heard: Heard) -> None:
    weights = {
        "chosenCandidates": [{"token": "a", "logProbability": -1}, {"token": "b", "logProbability": -2}],
        "topCandidates": [{"candidates": [{"token": "c", "logProbability": -3}]}],
    }
    both = {
        "candidates": [{"index": 1, "content": {"parts": [{"text": "y"}]}}, {"index": 0, "logprobsResult": weights}]
    }
    answer = heard(OWN, both)
    assert answer.choices[1].parts == [TextPart("y")]
    assert answer.choices[0].logprobs == [Logprob("a", -1, [Alternative("c", -3)]), Logprob("b", -2, [])]

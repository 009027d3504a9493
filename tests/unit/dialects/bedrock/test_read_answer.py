from __future__ import annotations

from collections.abc import Callable
from typing import Any

from softix_proxy.dialects.bedrock.read_answer import ReadAnswer
from softix_proxy.dialects.canonical.accumulate import accumulate
from softix_proxy.dialects.canonical.types import CanonicalAnswer, ErrorEvent, MediaPart, TextPart, Thinking, ToolCall

Heard = Callable[..., CanonicalAnswer]
END = [{"messageStop": {"stopReason": "tool_use"}}, {"metadata": {"usage": {"inputTokens": 3, "outputTokens": 2}}}]


def delta(index: int, **piece: Any) -> dict[str, Any]:
    return {"contentBlockDelta": {"contentBlockIndex": index, "delta": piece}}


def call(index: int, name: str) -> dict[str, Any]:
    return {"contentBlockStart": {"contentBlockIndex": index, "start": {"toolUse": {"toolUseId": "x", "name": name}}}}


def test_stream_with_all_parts_is_read_as_its_plain_answer(heard: Heard) -> None:
    events = [
        {"messageStart": {"role": "assistant"}},
        delta(0, reasoningContent={"text": "so"}),
        delta(0, reasoningContent={"signature": "s"}),
        delta(1, reasoningContent={"redactedContent": "cg=="}),
        delta(2, text="a"),
        delta(2, text="b"),
        {"contentBlockStop": {"contentBlockIndex": 2}},
        call(3, "f"),
        delta(3, toolUse={"input": ""}),
        delta(3, toolUse={"input": '{"a":1}'}),
        call(4, "g"),
        *END,
        {"messageStart": {}},
    ]
    content: list[dict[str, Any]] = [
        {"reasoningContent": {"reasoningText": {"text": "so", "signature": "s"}}},
        {"reasoningContent": {"redactedContent": "cg=="}},
        {"text": "ab"},
        {"toolUse": {"toolUseId": "x", "name": "f", "input": {"a": 1}}},
        {"toolUse": {"toolUseId": "x", "name": "g", "input": {}}},
        {"guardContent": {}},
    ]
    plain = {"output": {"message": {"content": content}}, **END[0]["messageStop"], **END[1]["metadata"]}
    answer = heard("converse", *events)
    assert answer == accumulate(ReadAnswer().read_whole(plain))
    (choice,) = answer.choices
    assert choice.parts == [
        Thinking("so", "s", "messages"),
        Thinking("", "cg==", "converse", redacted=True),
        TextPart("ab"),
        ToolCall("x", "f", '{"a":1}'),
        ToolCall("x", "g", "{}"),
    ]
    assert answer.usage and answer.usage.meters == {"input_tokens": 3, "output_tokens": 2}
    assert (choice.reason, answer.ended) == ("calls", True)


def test_answer_with_an_image_is_read() -> None:
    block = {"image": {"format": "jpeg", "source": {"bytes": "AA=="}}}
    (choice,) = accumulate(ReadAnswer().read_whole({"output": {"message": {"content": [block]}}})).choices
    assert choice.parts == [MediaPart("image", "image/jpeg", "AA==")]


def test_stream_without_usage_ends_with_its_stop_event(heard: Heard) -> None:
    answer = heard("converse", delta(0, text="a"), END[0])
    assert (answer.ended, answer.usage) == (True, None)
    assert not heard("converse", delta(0, text="a")).ended


def test_stream_with_an_exception_has_a_failure_and_no_end(heard: Heard) -> None:
    answer = heard("converse", {"serviceUnavailableException": {"message": "busy"}}, *END)
    assert (answer.failure, answer.ended) == (ErrorEvent("provider_overloaded", "busy"), False)

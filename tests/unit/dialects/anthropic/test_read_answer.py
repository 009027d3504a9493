from __future__ import annotations

from collections.abc import Callable
from typing import Any

from softix_proxy.dialects.anthropic.read_answer import ReadAnswer
from softix_proxy.dialects.canonical.accumulate import accumulate
from softix_proxy.dialects.canonical.types import CanonicalAnswer, ErrorEvent, TextPart, Thinking, ToolCall

Heard = Callable[..., CanonicalAnswer]
START = {"type": "message_start", "message": {"id": "msg_1", "model": "m", "usage": {"input_tokens": 3}}}
END = [
    {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 2}},
    {"type": "message_stop"},
]


def block(index: int, begun: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
    grown = [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
    start = {"type": "content_block_start", "index": index, "content_block": begun}
    return [start, *grown, {"type": "content_block_stop", "index": index}]


def test_stream_with_all_parts_is_read_as_its_plain_answer(heard: Heard) -> None:
    events = [
        START,
        *block(
            0,
            {"type": "thinking", "thinking": "", "signature": ""},
            {"type": "thinking_delta", "thinking": "so"},
            {"type": "signature_delta", "signature": "s"},
        ),
        *block(1, {"type": "redacted_thinking", "data": "d"}),
        *block(2, {"type": "server_tool_use", "id": "s"}, {"type": "input_json_delta", "partial_json": "{}"}),
        *block(3, {"type": "text", "text": ""}, {"type": "text_delta", "text": "a"}),
        *block(
            4,
            {"type": "tool_use", "id": "x", "name": "f", "input": {}},
            {"type": "input_json_delta", "partial_json": '{"a"'},
            {"type": "input_json_delta", "partial_json": ":1}"},
        ),
        *block(5, {"type": "tool_use", "id": "y", "name": "g", "input": {}}),
        *END,
    ]
    plain = {
        "id": "msg_1",
        "model": "m",
        "content": [
            {"type": "thinking", "thinking": "so", "signature": "s"},
            {"type": "redacted_thinking", "data": "d"},
            {"type": "server_tool_use", "id": "s"},
            {"type": "text", "text": "a"},
            {"type": "tool_use", "id": "x", "name": "f", "input": {"a": 1}},
            {"type": "tool_use", "id": "y", "name": "g", "input": {}},
        ],
        "stop_reason": "tool_use",
        "usage": {"input_tokens": 3, "output_tokens": 2},
    }
    answer = heard("messages", *events)
    assert answer == accumulate(ReadAnswer().read_whole(plain))
    assert answer.choices[0].parts == [
        Thinking("so", "s", "messages"),
        Thinking("", "d", "messages", redacted=True),
        TextPart("a"),
        ToolCall("x", "f", '{"a":1}'),
        ToolCall("y", "g", "{}"),
    ]
    assert answer.choices[0].reason == "calls"
    assert answer.usage
    assert answer.usage.meters == {"input_tokens": 3, "output_tokens": 2}
    assert answer.ended


def test_stream_without_its_last_event_has_not_ended(heard: Heard) -> None:
    assert not heard("messages", START, *block(0, {"type": "text", "text": "a"}), END[0]).ended


def test_stream_with_an_error_ignores_what_follows(heard: Heard) -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}
    answer = heard("messages", START, error, *block(0, {"type": "text", "text": "a"}), *END)
    assert answer.failure == ErrorEvent("provider_overloaded", "busy")
    assert answer.choices == []
    assert accumulate(ReadAnswer().read_whole(error)).failure == answer.failure


def test_stop_reason_of_each_kind_is_read(heard: Heard) -> None:
    for reason, wanted in (("refusal", "filter"), ("max_tokens", "length"), ("new", "end")):
        delta = {"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": "x"}}
        choice = heard("messages", START, delta, END[1]).choices[0]
        assert (choice.reason, choice.sequence) == (wanted, "x")

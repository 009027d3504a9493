from __future__ import annotations

from collections.abc import Callable
from typing import Any

from softix_proxy.dialects.anthropic.write_answer import write_answer
from softix_proxy.dialects.canonical.signature_tagging import tag_signature
from softix_proxy.dialects.canonical.types import (
    AnswerEnd,
    AnswerStart,
    AnswerStop,
    CanonicalAnswer,
    CanonicalUsage,
    Choice,
    ErrorEvent,
    MediaPart,
    PartDelta,
    PartEnd,
    PartSignature,
    PartStart,
    RefusalPart,
    ResponseContext,
    TextPart,
    Thinking,
    ToolCall,
)

Spoken = Callable[..., list[dict[str, Any]]]


def test_stream_with_all_parts_is_written_in_order(spoken: Spoken) -> None:
    found = spoken(
        "messages",
        AnswerStart("chatcmpl-1", "m"),
        PartStart(0, 0, Thinking("so", origin="responses")),
        PartSignature(0, 0, "e", of="rs"),
        PartEnd(0, 0),
        PartStart(0, 1, TextPart("a")),
        PartDelta(0, 1, "b"),
        PartEnd(0, 1),
        AnswerStop(0, "stop_sequence", "x"),
        CanonicalUsage({"input_tokens": 1, "cached_input_tokens": 2, "output_tokens": 3}),
        AnswerEnd(),
    )
    assert [item["type"] for item in found] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert found[0]["message"]["id"] == "msg_1"
    assert found[3]["delta"]["signature"] == tag_signature(Thinking("", "e", "responses", of="rs"), "messages")
    assert [item["delta"]["text"] for item in found[6:8]] == ["a", "b"]
    assert found[9]["delta"] == {"stop_reason": "stop_sequence", "stop_sequence": "x"}
    assert found[9]["usage"]["cache_read_input_tokens"] == 2


def test_calls_that_arrive_in_parallel_are_written_one_after_the_other(spoken: Spoken) -> None:
    found = spoken(
        "messages",
        PartStart(0, 0, ToolCall("x", "f")),
        PartStart(0, 1, ToolCall("y", "g")),
        PartDelta(0, 1, "2"),
        PartDelta(0, 0, "1"),
        AnswerStop(0, "calls"),
    )
    indices = [(item["type"].removeprefix("content_block_"), item["index"]) for item in found]
    assert indices == [("start", 0), ("delta", 0), ("stop", 0), ("start", 1), ("delta", 1), ("stop", 1)]
    assert [item["delta"]["partial_json"] for item in found if "delta" in item] == ["1", "2"]


def test_stream_with_an_image_or_a_second_choice_leaves_them_out(spoken: Spoken) -> None:
    image = MediaPart("image", "image/png", "AA")
    assert (
        spoken("messages", PartStart(0, 0, image), PartEnd(0, 0), PartStart(1, 0, TextPart("b")), PartDelta(1, 0, "c"))
        == []
    )


def test_stream_with_an_error_writes_it(spoken: Spoken) -> None:
    (found,) = spoken("messages", ErrorEvent("provider_overloaded", "busy"))
    assert found == {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}


def test_plain_answer_with_all_parts_is_written(context: ResponseContext) -> None:
    hidden = Thinking("", "d", "responses", redacted=True)
    parts = [hidden, Thinking("so"), RefusalPart("No."), ToolCall("x", "f", "broken"), MediaPart("image")]
    body = write_answer(CanonicalAnswer(AnswerStart("resp_1"), [Choice(parts, "calls")]), context)
    assert body["content"] == [
        {"type": "redacted_thinking", "data": tag_signature(hidden, "messages")},
        {"type": "thinking", "thinking": "so", "signature": ""},
        {"type": "text", "text": "No."},
        {"type": "tool_use", "id": "x", "name": "f", "input": {"INVALID_JSON": "broken"}},
    ]
    assert (body["id"], body["stop_reason"], body["model"]) == ("msg_1", "tool_use", "asked")
    assert write_answer(CanonicalAnswer(), context)["content"] == []

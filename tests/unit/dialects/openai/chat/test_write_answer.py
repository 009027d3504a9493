from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from softix_proxy.dialects.canonical.types import (
    AnswerEnd,
    AnswerStart,
    AnswerStop,
    CanonicalAnswer,
    CanonicalEvent,
    CanonicalUsage,
    Choice,
    ErrorEvent,
    Logprob,
    Logprobs,
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
from softix_proxy.dialects.openai.chat.write_answer import WriteStream, write_answer

Spoken = Callable[..., list[dict[str, Any]]]


def deltas(chunks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [chunk["choices"][0]["delta"] for chunk in chunks if chunk["choices"]]


def test_stream_is_written_in_order_with_usage_only_if_wanted(spoken: Spoken, context: ResponseContext) -> None:
    events: list[CanonicalEvent] = [
        AnswerStart("msg_1", "m"),
        PartStart(0, 0, TextPart("a")),
        PartDelta(0, 0, "b"),
        PartEnd(0, 0),
        AnswerStop(0, "end"),
    ]
    chunks = spoken("chat_completions", *events, CanonicalUsage({"input_tokens": 1, "output_tokens": 2}), AnswerEnd())
    assert deltas(chunks) == [{"role": "assistant", "content": "a"}, {"content": "b"}, {}]
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks[:-1]] == [None, None, "stop"]
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["total_tokens"] == 3
    assert {(chunk["id"], chunk["created"], chunk["object"]) for chunk in chunks} == {
        ("chatcmpl-1", 1000, "chat.completion.chunk")
    }
    quiet = msgspec.structs.replace(context, request=msgspec.structs.replace(context.request, wants_usage=False))
    writer = WriteStream(quiet)
    written = b"".join(writer.write(event) for event in [*events, CanonicalUsage({"output_tokens": 2}), AnswerEnd()])
    assert b"usage" not in written
    assert written.endswith(b"data: [DONE]\n\n")


def test_stream_calls_are_numbered_apart_from_other_parts(spoken: Spoken) -> None:
    found = deltas(
        spoken(
            "chat_completions",
            PartStart(0, 0, TextPart("a")),
            PartStart(0, 1, ToolCall("x", "f")),
            PartDelta(0, 1, "{}"),
            PartStart(0, 2, ToolCall("y", "g", "text", custom=True)),
            PartDelta(0, 2, " more"),
        )
    )
    assert found[1]["tool_calls"] == [
        {"index": 0, "id": "x", "type": "function", "function": {"name": "f", "arguments": ""}}
    ]
    assert found[2]["tool_calls"] == [{"index": 0, "function": {"arguments": "{}"}}]
    assert found[3]["tool_calls"][0]["custom"] == {"name": "g", "input": "text"}
    assert found[4]["tool_calls"] == [{"index": 1, "custom": {"input": " more"}}]


def test_stream_thoughts_are_written_as_reasoning(spoken: Spoken) -> None:
    thinking = Thinking("so", origin="messages")
    found = deltas(
        spoken(
            "chat_completions",
            PartStart(0, 0, thinking),
            PartDelta(0, 0, " it is"),
            PartSignature(0, 0, "s"),
            PartEnd(0, 0),
        )
    )
    assert [delta.get("content", "") for delta in found] == ["", "", ""]
    assert [delta.get("reasoning_content") for delta in found] == ["so", " it is", None]
    assert found[2]["reasoning_details"][0]["signature"] == "s"


def test_stream_choices_begin_each_with_a_role(spoken: Spoken) -> None:
    found = spoken(
        "chat_completions", PartStart(0, 0, TextPart("a")), PartStart(1, 0, RefusalPart("b")), PartDelta(1, 0, "c")
    )
    assert [chunk["choices"][0]["index"] for chunk in found] == [0, 1, 1]
    assert deltas(found)[1] == {"role": "assistant", "content": "", "refusal": "b"}


def test_stream_with_an_image_logprobs_and_an_error_writes_them(spoken: Spoken) -> None:
    image = MediaPart("image", "image/png", "AA")
    found = spoken(
        "chat_completions",
        PartStart(0, 0, image),
        Logprobs(0, [Logprob("a", -1)]),
        ErrorEvent("provider_overloaded", "busy"),
    )
    assert deltas(found[:1])[0]["images"][0]["image_url"]["url"] == "data:image/png;base64,AA"
    assert found[1]["choices"][0]["logprobs"]["content"][0] == {
        "token": "a",
        "logprob": -1,
        "bytes": [97],
        "top_logprobs": [],
    }
    assert found[2]["error"]["code"] == "server_is_overloaded"


def test_plain_answer_with_all_parts_is_written(context: ResponseContext) -> None:
    parts = [Thinking("so", "s", "messages"), TextPart("a"), ToolCall("x", "f")]
    body = write_answer(CanonicalAnswer(AnswerStart("", ""), [Choice(parts, "calls", logprobs=[])]), context)
    message = body["choices"][0]["message"]
    assert (body["id"], body["model"], body["created"]) == ("chatcmpl-0a1b", "asked", 1000)
    assert (message["content"], message["refusal"], message["reasoning_content"]) == ("a", None, "so")
    assert message["tool_calls"][0]["function"] == {"name": "f", "arguments": "{}"}
    assert body["choices"][0]["finish_reason"] == "tool_calls"
    assert "usage" not in body

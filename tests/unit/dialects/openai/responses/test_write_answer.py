from __future__ import annotations

from collections.abc import Callable
from typing import Any

from softix_proxy.dialects.canonical.signature_tagging import tag_signature
from softix_proxy.dialects.canonical.types import (
    AnswerEnd,
    AnswerStart,
    AnswerStop,
    CanonicalAnswer,
    CanonicalUsage,
    Choice,
    ErrorEvent,
    Logprob,
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
from softix_proxy.dialects.openai.responses.write_answer import write_answer

Spoken = Callable[..., list[dict[str, Any]]]


def kinds(found: list[dict[str, Any]]) -> list[str]:
    return [item["type"].removeprefix("response.") for item in found]


def test_stream_with_all_parts_is_written_in_order(spoken: Spoken, context: ResponseContext) -> None:
    found = spoken(
        "responses",
        AnswerStart("msg_1", "m"),
        PartStart(0, 0, Thinking(origin="messages")),
        PartDelta(0, 0, "so"),
        PartSignature(0, 0, "s"),
        PartEnd(0, 0),
        PartStart(0, 1, TextPart("a")),
        PartDelta(0, 1, "b"),
        PartEnd(0, 1),
        PartStart(0, 2, ToolCall("x", "f")),
        PartDelta(0, 2, "{}"),
        PartEnd(0, 2),
        CanonicalUsage({"input_tokens": 1, "output_tokens": 2}),
        AnswerStop(0, "calls"),
        AnswerEnd(),
    )
    assert kinds(found) == [
        "created",
        "in_progress",
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "completed",
    ]
    assert [item["sequence_number"] for item in found] == list(range(len(found)))
    done = [item["item"] for item in found if item["type"] == "response.output_item.done"]
    last = found[-1]["response"]
    assert last["output"] == done
    assert last["usage"]["total_tokens"] == 3
    assert done[0]["encrypted_content"] == tag_signature(Thinking("", "s", "messages"), "responses")
    assert done[1]["content"][0]["text"] == "ab"
    assert {item["item_id"] for item in found if item.get("output_index") == 2 and "item_id" in item} == {done[2]["id"]}


def test_stream_with_refusal_custom_call_and_image_writes_them(spoken: Spoken) -> None:
    found = spoken(
        "responses",
        AnswerStart("1"),
        PartStart(0, 0, RefusalPart("No")),
        PartDelta(0, 0, "."),
        PartEnd(0, 0),
        PartStart(0, 1, ToolCall("y", "g", "text", custom=True)),
        PartEnd(0, 1),
        PartStart(0, 2, MediaPart("image", "image/png", "AA")),
        PartEnd(0, 2),
        PartStart(1, 0, TextPart("another choice")),
        AnswerStop(0, "length"),
        AnswerEnd(),
    )
    refused, custom, image = found[-1]["response"]["output"]
    assert refused["content"] == [{"type": "refusal", "refusal": "No."}]
    assert (custom["type"], custom["input"]) == ("custom_tool_call", "text")
    assert image["result"] == "AA"
    assert found[-1]["response"]["incomplete_details"] == {"reason": "max_output_tokens"}
    assert kinds(found)[-1] == "incomplete"
    assert {"refusal.delta", "refusal.done", "custom_tool_call_input.delta", "custom_tool_call_input.done"} <= set(
        kinds(found)
    )


def test_stream_with_an_error_writes_it_as_failed_response_or_error_event(spoken: Spoken) -> None:
    failed = spoken("responses", AnswerStart("1"), ErrorEvent("provider_rate_limited", "slow down"))[-1]
    assert failed["type"] == "response.failed"
    assert failed["response"]["error"] == {"code": "rate_limit_exceeded", "message": "slow down"}
    (early,) = spoken("responses", ErrorEvent("provider_fault", "no"))
    assert (early["type"], early["code"], early["message"]) == ("error", "server_error", "no")


def test_plain_answer_with_a_call_and_logprobs_is_written(context: ResponseContext) -> None:
    weights = [Logprob("a", -1)]
    choice = Choice([TextPart("a"), ToolCall("x", "f")], "calls", logprobs=weights)
    body = write_answer(CanonicalAnswer(AnswerStart("chatcmpl-1"), [choice]), context)
    text, call = body["output"]
    assert (body["id"], body["status"], body["created_at"], body["usage"]) == ("resp_1", "completed", 1000, None)
    assert text["content"][0]["logprobs"][0]["token"] == "a"
    assert call["arguments"] == "{}"
    assert (body["tools"], body["tool_choice"], body["parallel_tool_calls"]) == ([], "auto", True)
